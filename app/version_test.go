package app

import "testing"

func TestVersion(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for want, b := range map[string]Build{
		"1.0":                    {Version: "1.0"},
		"1.0+0123456789ab":       {Version: "1.0", Commit: commit},
		"1.0+0123456789ab-dirty": {Version: "1.0", Commit: commit, Modified: true},
		"1.1":                    {Version: "1.1", Commit: "short"},
	} {
		if got := b.String(); got != want {
			t.Errorf("%+v is %s, want %s", b, got, want)
		}
	}
	if ThisBuild().Go == "" {
		t.Error("the compiler's version is not known")
	}
}
