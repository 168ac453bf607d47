// Package explore walks every schedule of a small group, not only random ones: two
// or three nodes, a small alphabet of what users, disks, the network and the chain
// do, breadth first from a wallet that is active and paid. What is walked is the
// real coordinator.Turn over the real Step and Load.
//
// # Terms
//
// A node is one member's machine and disk at one moment. It is an immutable value
// that all states share which hold it: what a message makes of a node is worked
// out once, by the real Turn, whatever the others hold meanwhile.
//
// A state is which node each member has, the chain, the liar's second entry, and
// how much of each letter may still happen. Entries under way are all those that
// are on some disk and not on another: one that is lost comes later.
//
// A letter is one thing that happens; a schedule is letters in their order.
//
// # What must hold
//
// Two nodes are the same where their digests are: of the State, of what the guard
// and the view of the chain hold, and of what is on the disk. Two states are the
// same where all their parts are. Each node is held against the rules of rules.go
// once, each turn against those of moves.go, and each state against those of
// states.go. Where one does not hold, the shortest schedule that leads there is
// told.
//
// Nothing here draws, waits or runs beside something else: the same walk visits
// the same states in the same order each time.
//
// Begin with letters.go, which is the alphabet, and walk.go.
package explore
