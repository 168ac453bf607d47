//go:build race

package coordinator

// underRace: the largest groups are left to the run without the race detector,
// which makes their signatures some twenty times slower.
const underRace = true
