// Package robot gathers what a policy decides by: the Facts of one proposal, from what the
// entries say (group.State), what the chain says (ledger.View), and what this robot signed
// before (Ledger). It decides nothing: policy.Decide does.
//
// Terms. A policy is compiled (Compile) when the scripts of its recipients are derived. What
// a transaction takes is what does not go to scripts of the wallet's own, and its fee. A
// robot's ledger of charges (Ledger) is a meter.Book that is told of what its key signed and
// of which spends are six deep.
//
// Invariants. Nothing here is believed that an entry claims and the transaction, the chain or
// a signature can tell. Facts are a function of the set of entries, of the view, and of what
// the caller says of itself, whatever the order in which any of it came. All of it is pure;
// Compiled and Ledger are values that never change in place.
//
// Begin with Gather (gather.go); KindOf (kind.go), Compile (compile.go) and Ledger
// (charges.go) are what it asks.
package robot
