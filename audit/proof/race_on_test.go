//go:build race

package proof

// eachByte: under the race detector, which makes it many times slower, a byte in so many
// is changed; the run without it changes each.
const eachByte = 61
