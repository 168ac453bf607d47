// Package group is what the entries of one group say: a State, its fold, and the
// status of a proposal. It is pure: no clock, no network, no disk, and nothing of
// what this node itself wishes. Nobody outside reads its maps; they ask.
//
// # Terms
//
// An entry states a fact; the fact is kept as stated. An entry is inert when it
// breaks a rule, and has no effect then. It is tainted when it lies past its
// author's fork, past the cut of a later incarnation, or past the end of an identity
// that was replaced: it keeps only the effects that prove themselves, such as a
// signature. A line is the identities that write, or wrote, for one key: a member's
// successions. An epoch is a secret that entries are sealed under; one counts for
// writing when it is sealed to exactly the present members. A lease takes a receive
// address out of the pool. Of several proposals of one transaction, copies, one is
// its lead.
//
// # Seven values, each upon the one before
//
//	State          an entry taken apart: fold, snapshot, digest
//	stopFacts      who froze all spending, and who is for lifting that
//	labelFacts     what members call transactions, addresses and outputs
//	proposalFacts  proposals, signatures, votes, leases; what waits to be judged
//	epochFacts     secrets, who may write under which, what is asked for and named
//	setupFacts     names, records, rosters, ratifications; whose place this node has
//	memberFacts    who writes for which key; forks, cuts and ends: what is tainted
//	entryFacts     entries held, entries without effect
//
// A value embeds the one below it, so that it may ask it and cannot be asked by it:
// what an upper value needs to know of a lower one is a query there. A method that
// changes a value returns the new one; only State's methods, in fold.go and take.go,
// change several. A new fact is one event, one case of State.foldEvent, one field of
// its value with its snapshot field, and a query.
//
// # Invariants
//
// The same set of entries, in any order, with repeats, gives the same State, and the
// same answers to every query (State.Digest). A State only grows. Every change
// returns a new State, and old ones stay valid and may be read concurrently. A step
// costs what its input costs, whatever is held: what a loop over all would compute is
// kept up to date in the fold (proposalIndex, epochBook, setupBook, backlog). Each map
// that a member can grow has its bound beside it. Whatever bytes an entry holds, the
// fold does not fail: what it cannot do is inert (Contained).
//
// Begin with facts.go, then fold.go.
package group
