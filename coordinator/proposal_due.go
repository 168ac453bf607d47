package coordinator

// What a step works off of what waited: one unit is an input or output of a
// proposal that is derived, or a signature that is verified, about 0.2 ms. One
// author may bring 32 MiB at once (see quota.go): half a million units. They
// take 260 steps, and each author has its turn in each round of them.
const (
	workEach   = 2_000
	workAtLoad = 1 << 16
	workAll    = 1 << 62
)
