package neutrino

import "time"

// Stalls returns the settings with another time after which it is stuck.
func (c Config) Stalls(after time.Duration) Config {
	c.stall = after
	return c
}

// Needs returns the settings with another number of peers that are needed.
func (c Config) Needs(peers int) Config {
	c.least = peers
	return c
}
