// Package p2ptest is the conformance suite of the coordinator's Transport
// port, with a simple Inbox to run it against.
package p2ptest
