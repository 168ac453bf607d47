// Package sim drives whole groups of cosigners from one seed: coordinators'
// Step functions over an in-memory transport, store and chain, with one queue
// of events and a virtual clock. No goroutine decides anything, so that a seed
// replays exactly. docs/simulator.md says what is simulated and what is not.
package sim
