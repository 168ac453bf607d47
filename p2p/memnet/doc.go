// Package memnet is a network in memory, for tests and simulations: the twin of
// p2p.Node behind port.Transport.
//
// A Node runs the very protocols of p2p (p2p.Protocols: membership, the checks
// of entries, sync, join) over pipes instead of libp2p, so that whole groups fit
// into one process and into virtual time (testing/synctest). What it lacks is
// all that a real network brings: addresses and relays, the gate and its places,
// encryption, pubsub's mesh. Hints of a link and addresses of an invite are of
// no use here. The suite in p2p/p2ptest runs over both.
//
// A Network joins nodes. Two are connected while each has the other as a member
// of some group and their link is whole: Cut and Heal are for tests of what
// happens in between. A node that somebody wants to reach and that does not
// know it notes it as pending, as the gate does. Gossip is a queue at each node;
// where it is full more is dropped, as pubsub does, and sync brings it. PublishRaw,
// OpenRaw and ServeRaw say what an honest node never would.
//
// Begin with NewNetwork and New.
package memnet
