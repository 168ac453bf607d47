// Package audit reads the journal of a wallet as what its members did: who said
// what and when, as sentences, in pages, newest first. Package proof, beside it,
// writes that to a file that can be checked without a node.
//
// It decides nothing: what an entry comes to is asked of group.State.
//
// # Terms
//
// A sentence says what one entry says, in the words of the table in sentence.go. A
// mark says why an entry does not count as it reads: it is tainted (past a fork, a
// cut, or its author's end), inert (it breaks a rule), or unread (its epoch's secret
// is not held, or it needs a newer version).
//
// A time is what an author claims. What orders a page is that, and each author's own
// order: no author's entries are listed in another order than he wrote them in.
package audit
