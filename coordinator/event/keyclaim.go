package event

import (
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// KeyClaim is what an account key signs besides spends, and all of it: that an
// identity holds the key, for its record in a group; that a new identity
// takes the place of one that was ratified with it; or that the key is there, for
// a round that a member asked for. It travels as its fields, so that whoever signs
// knows what it says.
type KeyClaim struct {
	Group journal.GroupID
	// Identity is who holds the key, Sealing that one's sealing key.
	Identity journal.Author
	Sealing  [32]byte
	// Key is the account key as in the member's record; of a replacement only
	// its hash, Replaces.Account, is known.
	Key string
	// Replaces is there if Identity takes the place of another.
	Replaces *Replaced
	// Round names the round that the key answers (see PingAsked); zero for none.
	Round journal.EntryID
}

// Replaced says of which member the place is taken.
type Replaced struct {
	// Account is the hash of the ratified key, see Challenge.
	Account [32]byte
	// Position is that of the key in the descriptor.
	Position uint32
	Old      journal.Author
	// Cuts are where the old identity's chains end, by incarnation.
	Cuts []ReplacedCut
}

// Hash is what is signed. Its tag depends on the kind of claim, so that none
// can be given out for another, nor for a spend or a message.
func (c KeyClaim) Hash() [32]byte {
	if c.Answers() {
		return pingHash(c.Group, c.Identity, c.Round, c.Key)
	}
	if c.Replaces == nil {
		return proofHash(c.Group, c.Identity, c.Sealing, c.Key)
	}
	b := MemberReplaced{Key: c.Replaces.Position, Old: c.Replaces.Old, New: c.Identity, Sealing: c.Sealing, Cuts: c.Replaces.Cuts}
	return b.ID(c.Group)
}

// Answers says whether it is of a round.
func (c KeyClaim) Answers() bool { return c.Round != (journal.EntryID{}) }

// AccountHash is how a replacement names a ratified key without telling it, by
// the key as in the member's record: see Replaced.
func AccountHash(group journal.GroupID, key string) [32]byte {
	return journal.H("replacement-key", group[:], []byte(key))
}

// Of says whether the claim is about a key.
func (c KeyClaim) Of(key wallet.Key) bool {
	if c.Replaces == nil {
		return c.Key == key.String()
	}
	return c.Replaces.Account == AccountHash(c.Group, key.String())
}

// Check says whether a claim that came from elsewhere is one that a group could
// take. It returns ErrEvent.
func (c KeyClaim) Check() error {
	if c.Group == (journal.GroupID{}) || c.Identity == (journal.Author{}) {
		return badEvent("claim of a key without a group or an identity")
	}
	if c.Answers() && (c.Replaces != nil || c.Sealing != [32]byte{}) {
		return badEvent("claim of a round and of something else")
	}
	if c.Replaces == nil {
		if c.Key == "" || len(c.Key) > 512 {
			return badEvent("claim of a key of %d characters", len(c.Key))
		}
		return nil
	}
	if c.Key != "" {
		return badEvent("claim of a replacement that names a key")
	}
	b := MemberReplaced{
		Key: c.Replaces.Position, Old: c.Replaces.Old, New: c.Identity, Sealing: c.Sealing, Cuts: c.Replaces.Cuts,
		Consent: make([]byte, 64), // it is made after the claim was signed
	}
	return b.Check()
}
