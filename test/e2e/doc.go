// Package e2e tests quorate as its users run it: real processes with data
// directories of their own, libp2p over loopback sockets, and a real Bitcoin
// node (btcd on regtest). It holds tests only.
package e2e
