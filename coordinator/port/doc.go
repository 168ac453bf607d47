// Package port has every port of a node: the interfaces that the rooms above the
// coordinator implement, the ones that it implements for them, and the values
// that cross them. It decides nothing.
//
// Begin with port.go, which has all the interfaces. What the coordinator asks of
// the rooms above: Store, Transport, AddressBook, Chain (Dated, Follower),
// Signer (Detached), Clock, Observer. What it offers to them: Inbox, Doorman.
// Each other file holds the values of one subject; outcome.go has all outcomes
// of checking what a peer sent, errors.go the errors of the ports.
//
// Store, p2p, chain and signer, and the suites that each implementation of a
// port has to pass, import this package and nothing else of the coordinator.
package port
