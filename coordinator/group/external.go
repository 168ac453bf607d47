package group

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// checkProof verifies a record's proof of possession.
func (s setupFacts) checkProof(key wallet.Key, author journal.Author, b *event.MemberRecord) error {
	hash, text := b.Claim(s.group, author)
	switch b.How {
	case event.ProofOwn:
		return key.VerifyHash(hash, b.Proof)
	case event.ProofNone:
		if len(b.Proof) != 0 {
			return fmt.Errorf("%w: a proof where none is claimed", event.ErrEvent)
		}
		return nil
	}
	child, err := key.ProofKey(wallet.Network(s.genesis.Network))
	if err != nil {
		return err
	}
	if b.How == event.ProofMessage {
		return child.VerifyMessage(text, b.Proof)
	}
	return child.VerifyBIP322(text, b.Proof)
}

// sameKeys returns the names of two members that brought one key, if any did:
// their roster can never be closed.
func (s setupFacts) SameKeys() (a, b string, same bool) {
	by := map[string]Record{}
	for r := range s.PlacedRecords {
		old, ok := by[r.Key.XPub]
		if ok && (old.Ref.Chain.Author != r.Ref.Chain.Author || old.Body.Hosted != r.Body.Hosted) {
			return old.Body.Name, r.Body.Name, true
		}
		by[r.Key.XPub] = r
	}
	return "", "", false
}

// unproven returns the names of the other members whose keys nothing proves.
func (r *Roster) UnprovenNames(me journal.Author) []string {
	var out []string
	for _, m := range r.Members {
		if m.Proof == event.ProofNone && m.Identity != me {
			out = append(out, m.Called())
		}
	}
	return out
}
