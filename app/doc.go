// Package app composes a node: from configuration to running parts, and the
// order in which they start and stop. It holds no rule of any room.
//
// Wire is the one function that joins the ports, and names every implementation
// there is; ports.go has the small ones. Run opens a data directory (datadir.go),
// wires the node, opens its doors, and stops all of it in order: first the doors
// that users come through, then the wallets, the network, the store. RunSigner
// runs the process that holds a seed instead. Both keep their memory from being
// written to a disk (harden_linux.go).
//
// What holds here: nothing is answered before the store is open and every wallet
// was loaded or is known to have failed; whatever hangs at the stop, the process
// ends, and nothing acknowledged is lost; a store that can no longer say what it
// holds ends the node. Begin with wire.go, then run.go.
package app
