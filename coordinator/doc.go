// Package coordinator decides what a node does: which command it refuses and which
// it carries out, what it writes, signs, broadcasts and tells. What the entries of a
// group mean is package group's, what the chain shows is package ledger's; package
// port names all that a node needs from outside. This package knows no libp2p, no
// Badger, no HTTP and no chain client.
//
// # Terms
//
// A Machine is all that one node knows of one wallet: State (what the entries say),
// View (what it sees of the chain), Guard (what it ever signed), and what concerns
// itself alone. Step takes one input, a command or a notice, and returns the machine
// as it is afterwards and the effects to execute: it is synchronous and pure, since the
// clock, the entropy and the results of every effect are passed in. A Turn is a few
// steps that share one commit; package node, the simulator and the tests all run it.
//
//	command, entry, block, tick
//	      │
//	      ▼
//	  Turn.Take ── Step ──► Step ──► …         machine after machine; a step that
//	      │                                    fails has changed nothing
//	      ▼
//	  Turn.Finish: one batch, durable          entries, sign guard, records
//	      │
//	      ▼
//	  publish the machine, execute the other effects, answer
//
// A command that may not be is a refusal (package refusal); what stands before a
// proposal or a signature is one table (stages.go). What follows by itself from what
// is known, a step writes unasked, in turns and within what the others grant it
// (settle.go, unasked.go).
//
// # Invariants
//
// Nothing is shown or sent before it is durable. A signature leaves in one place
// (release.go), and the guard that remembers it is in the same batch; with a device or
// a signer process the guard is durable before they are asked. A step costs what its
// input costs: what a loop over all proposals, coins or members would find is kept up
// to date, and looked at in rounds (rounds.go). No input makes a panic leave a step
// (group.Contained).
//
// Begin with machine.go, step.go and settle.go; then stages.go for the rules. The
// shell that runs it is package node.
package coordinator
