// Package reason says in plain words why a robot did what it did about a transaction, or
// what it waits for: one table of codes, and sentences made of it.
//
// Terms. A code is one of a verdict's reasons: of package policy, of package robot, or that
// of a rule for every cosigner (package refusal). What a code says is a clause that follows
// "because" or a colon.
//
// Invariants. Every code that a node of this version writes has a clause; what a newer one
// writes is shown as it is. Nothing here decides anything, and all of it is pure.
//
// Begin with Says (table.go) and Sentence (sentence.go).
package reason
