// Package refusal is how the coordinator says no: one list of codes, each a rule that
// a command may break, and the refusal that names one.
//
// A refusal is of a command, by this node, and changes nothing. (An entry that breaks
// a rule is inert, a peer's bytes have an outcome: those are other lists.) A code is
// stable: it is shown, it is in the API, and scripts compare it. docs/refusals.md is
// made from Codes, and a test compares the two.
//
// Begin with New, and with codes.go.
package refusal
