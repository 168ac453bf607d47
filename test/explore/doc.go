// Package explore walks every schedule of a small group, not only random ones: two
// or three nodes, a small alphabet of what users, disks, the network and the chain
// do, breadth first from a wallet that is active and paid. What is walked is the
// real coordinator.Turn over the real Step and Load.
//
// A world is an immutable value: the machine and the store of each node, the
// chain, the entries that are under way (all that are on any disk: a message that
// is lost comes by sync, one that comes twice changes nothing), and how much of
// each kind may still happen. Worlds with one digest are one, however they came
// about: the digests of the States, what the guards hold, the chain, and what is
// left. In each new world the rules of rules.go must hold; where one does not, the
// shortest schedule that leads there is printed.
//
// Begin with actions.go, which is the alphabet.
package explore
