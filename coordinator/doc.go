// Package coordinator decides: what the entries of a group mean, what its
// members agreed, when a transaction is final, and what this node may sign.
//
// Step and Derive are synchronous and pure: the clock, the entropy and the
// results of every effect are passed in. The goroutine around them (Actor) is a
// shell that executes the effects. Package port names everything a node needs from
// outside; this package knows no libp2p, no Badger, no HTTP and no chain client.
package coordinator
