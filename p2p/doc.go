// Package p2p carries journal entries between the members of a group: libp2p
// behind the Transport port. (Its twin for tests is package memnet.)
//
// Gossip is the fast path and promises nothing. Delivery is the sync protocol:
// on connect, from time to time, after a gap and on request two members
// exchange what they hold and pull what they miss. Everything is denied to
// everybody but members: connections by the gate, topics by two filters, sync
// by a check in each request.
//
// What does not depend on libp2p is Protocols: membership, the checks of what
// arrives, sync and join. Begin with New in node.go, and with protocols.go.
package p2p
