// Package node is the shell around the wallets of one node: it runs each wallet's
// machine, hands what that decides to the disk, the network, the chain and the signer,
// and lets strangers knock. What may be, and what follows from what, is package
// coordinator's: nothing here refuses or allows by a rule of a wallet.
//
// # Terms
//
// An Actor is the goroutine around one coordinator.Machine. It takes messages in the
// order in which they come, each in a coordinator.Turn, commits the batch, publishes the
// machine and executes the other effects. A Node has the actors of all wallets that are
// stored; it founds and joins further ones, gives out the accounts of the seed, and keeps
// the wallets' names apart. The Door is what a transport asks when a stranger presents an
// invite. A Quota is what the authors of one wallet may still have this node store. Ports
// are what all of it works on (package port).
//
//	API, transport, chain, clock
//	      │
//	      ▼
//	  inbox ── handle ──► Turn.Take … Turn.Finish ── commit ──► store
//	                                      │
//	                                      ├─ the machine, for readers
//	                                      └─ execute ──► transport, chain, observer
//
// # Invariants
//
// Nothing is shown, sent or answered before it is durable; where a commit fails, the
// machine stays as it was. Only the actor's goroutine, and the guard that it makes
// durable before a detached signer is asked, change the machine that readers see.
// An account of the seed is used up durably before its key is shown to anybody. What
// fails in one wallet, at its start or while it runs, keeps no other from running. What is
// a stranger's or another member's to send without end is bounded: the inbox, the quota,
// what is told of second takers, what the log says of faults.
//
// Begin with node.go and actor.go; then turn.go for the way of a message, execute.go
// and follow.go for its effects, found.go, join.go and keys.go for how a wallet begins.
package node
