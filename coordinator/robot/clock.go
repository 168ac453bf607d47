package robot

const (
	// ahead is how far past the chain's time a clock is believed, and behind how far it may
	// lie below it, in seconds. Miners' rules keep median time past within two hours below
	// true time, mostly within one.
	ahead  = 4 * 3600
	behind = 2 * 3600
)

// Clock returns the time by which a policy's hours and delays go: the own clock, no further
// than four hours past the median time past of the tip, and never before the latest that was
// ever used, as far as that was no further past it: a node of a human signs by its own clock
// alone, and may have become a robot since. It is in doubt where the own clock is further ahead, or two hours behind: hours
// and delays do not come then. On regtest blocks are made at will, so that their times say
// nothing of the clock: there the own clock alone counts, and is never in doubt.
func Clock(own, median int64, regtest bool, latest int64) (now int64, doubt bool) {
	if regtest {
		return max(own, latest), false
	}
	return min(max(own, latest), median+ahead), own > median+ahead || own < median-behind
}
