// Package event is what members say to each other: the events, which are the
// plaintext of the journal's entries, the genesis that begins a group, and what
// keys sign besides spends. All of it is pure: bytes to values and back, within
// bounds.
//
// Terms. An Event is a Body (one kind of it) and the time that its author
// claims. A Genesis is the beginning of a group, and names it. A KeyClaim is
// what an account key may be made to say; a Challenge is what a new device has to
// answer that takes a lost member's place.
//
// Invariants. Every event has one encoding, and Decode takes no other. Whether an
// event is valid is the same in every version: bounds are never changed, and
// numbers of kinds and keys never used again. What a version does not know is
// ErrNewer, all else that is wrong is ErrEvent; neither ever has an effect. What
// an event comes to is not decided here: that takes all entries together.
//
// Begin with event.go, which has the kinds and the codec; each other file holds
// the events of one subject.
package event
