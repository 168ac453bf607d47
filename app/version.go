package app

import "runtime/debug"

// release is the version of the source.
const release = "0.1.0"

// Build is what the program was built from.
type Build struct {
	Version string `json:"version"`
	// Commit is of the source, in hex; empty where the build did not know it.
	Commit string `json:"commit"`
	// Modified says that the source was not just that commit.
	Modified bool `json:"modified"`
	// Go is the version of the compiler.
	Go string `json:"go"`
}

// ThisBuild returns what this program was built from, as the compiler stamped it.
func ThisBuild() Build {
	b := Build{Version: release}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// Version is the version of this build, with the commit where it is known.
func Version() string { return ThisBuild().String() }

// String is the version, "+" and twelve digits of the commit; "-dirty" where
// the source was changed.
func (b Build) String() string {
	s := b.Version
	if len(b.Commit) >= 12 {
		s += "+" + b.Commit[:12]
	}
	if b.Modified {
		s += "-dirty"
	}
	return s
}
