package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// maxHolders is how many identities with a record of one key are looked at.
const maxHolders = 16

// holderKey is what the authors of records of a key are found by: those first
// whose record the key itself proves, those last whose record nothing proves.
func holderKey(account [32]byte, how event.ProofKind) byHolder {
	class := byte(1) // a message that was signed with the key
	switch how {
	case event.ProofOwn:
		class = 0
	case event.ProofNone:
		class = 2
	}
	return byHolder(account[:]) + byHolder([]byte{class})
}

// holders lists the identities that wrote a record of the lost one's key with a
// proof of one class: ProofOwn, ProofMessage (and ProofBIP322), or ProofNone.
func (s setupFacts) holders(how event.ProofKind) []journal.Author {
	prefix := holderKey(s.lost.account, how)
	var out []journal.Author
	for k := range pmap.Prefix(s.setup.holders, prefix) {
		if len(out) == maxHolders {
			break
		}
		out = append(out, journal.Author([]byte(k[len(prefix):])))
	}
	return out
}

// formerSelves lists the identities that held this node's place before, as far as
// they are known without a roster: the lost one, which may have taken the place
// itself, and those whose records name the key.
func (s setupFacts) formerSelves() []journal.Author {
	if s.lost == (lostPlace{}) {
		return nil
	}
	out := append([]journal.Author{s.lost.who}, s.holders(event.ProofOwn)...)
	out = append(out, s.holders(event.ProofMessage)...)
	return append(out, s.holders(event.ProofNone)...)
}

// PinnedBefore returns the hash that the identities ratified whose place this node
// takes and whose records this node's own key proves, where they are of one mind.
func (s setupFacts) PinnedBefore() (hash [32]byte, ok bool) {
	holders := s.holders(event.ProofOwn)
	if len(holders) == maxHolders {
		return hash, false // there may be more: who stole the key made them
	}
	for _, who := range holders {
		for k := range mapkey.Under(s.setup.hashes, who) {
			h := k.Second()
			if ok && hash != h {
				return hash, false
			}
			hash, ok = h, true
		}
	}
	return hash, ok && hash != ([32]byte{})
}
