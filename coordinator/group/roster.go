package group

import (
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Roster is a closed roster whose records are all held and valid. Hash and
// Words are there once every member has revealed.
type Roster struct {
	ID         journal.EntryID
	Members    []Member // by key index
	Descriptor *wallet.Descriptor
	Hash       [32]byte
	Revealed   int
	// Ratified has the records of those that ratified Hash.
	Ratified map[journal.EntryID]bool
}

// commitment hides 32 random bytes until the roster is closed.
func Commitment(salt [32]byte) [32]byte { return journal.H("salt", salt[:]) }

// Complete says whether every member has revealed, so that there are words.
func (r *Roster) Complete() bool { return r != nil && r.Revealed == len(r.Members) }

// Words returns the six words of a complete roster: the first 66 bits of its
// hash, 11 bits a word, in the English BIP39 list.
func (r *Roster) Words() string {
	if !r.Complete() {
		return ""
	}
	return sixWords(r.Hash)
}

func sixWords(h [32]byte) string {
	words := make([]string, 6)
	for w := range words {
		n := 0
		for b := w * 11; b < w*11+11; b++ {
			n = n<<1 | int(h[b/8]>>(7-b%8)&1)
		}
		words[w] = wordlists.English[n]
	}
	return strings.Join(words, " ")
}

// hosted returns the names of the cosigners that others host, with their hosts'.
func (r *Roster) HostedNames(me journal.Author) []string {
	names := map[journal.Author]string{}
	for _, m := range r.Members {
		names[m.Original] = m.Called()
	}
	var out []string
	for _, m := range r.Members {
		if m.Hosted() && m.Host != me {
			out = append(out, fmt.Sprintf("%s (by %s)", m.Called(), names[m.Host]))
		}
	}
	return out
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
