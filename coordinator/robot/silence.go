package robot

import "github.com/quorate/quorate/policy"

// Silent says in a code why a prepared robot signs nothing, whatever is proposed; "" where it
// does. unready is why its node lets it not, if it does not, heard how many others it heard.
func (d Desk) Silent(unready string, heard uint64) string {
	switch {
	case unready != "":
		return unready
	case d.now == nil:
		return ""
	case d.now.problem != "":
		return string(d.now.problem)
	case heard < d.now.compiled.Policy.StartQuorum:
		return string(policy.ReasonStart)
	}
	return ""
}

// quiet is why a robot is silent, and since which tick of its node.
type quiet struct {
	code  string
	since uint64
}

// Quiet notes at a tick why a robot is silent, if it is.
func (d Desk) Quiet(code string, tick uint64) Desk {
	if d.quiet.code != code {
		d.quiet = quiet{code, tick}
	}
	return d
}

// QuietFor is for how many ticks a robot has been silent for one reason, and which; "" where
// it is not.
func (d Desk) QuietFor(tick uint64) (code string, ticks uint64) {
	if d.quiet.code == "" {
		return "", 0
	}
	return d.quiet.code, tick - min(tick, d.quiet.since)
}
