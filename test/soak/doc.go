// Package soak runs seven quorate processes for as long as it is asked to, with
// kills, cuts, stalls and reorgs, and looks at the end whether all that was
// acknowledged is on every node. scripts/soak starts it; docs/soak.md tells how
// to read what it prints. It holds tests only.
package soak
