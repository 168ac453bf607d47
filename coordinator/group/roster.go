package group

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Member is a cosigner of a closed roster.
type Member struct {
	Identity journal.Author
	Name     string
	Sealing  [32]byte
	Key      wallet.Key
	// Proof is how the key was shown to be held by somebody.
	Proof  event.ProofKind
	Record journal.EntryID
	// Index is the position of the member's key in the descriptor.
	Index int
	// Original and FirstSealing are those of the roster: Identity and Sealing
	// are others once the member was replaced, and Identity is zero while its
	// replacement is contested.
	Original     journal.Author
	FirstSealing [32]byte
	// Host is the identity that entered the record of a cosigner without a node,
	// whose Identity, Original and sealing keys are zero; else it is zero.
	Host journal.Author
	// ambiguous: the name does not tell who it is (see Called).
	ambiguous bool
}

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

// Active is a wallet whose roster every member ratified.
type Active struct {
	Roster
	lines *lines // nil while nobody was replaced
}

func (a *Active) Index(id journal.Author) (int, bool) {
	if id == (journal.Author{}) {
		return 0, false // contested and hosted members have none
	}
	for i, m := range a.Members {
		if m.Identity == id {
			return i, true
		}
	}
	return 0, false
}

// commitment hides 32 random bytes until the roster is closed.
func Commitment(salt [32]byte) [32]byte { return journal.H("salt", salt[:]) }

// checkRecord verifies what can be verified of a record alone.
func (s setupFacts) CheckRecord(author journal.Author, b *event.MemberRecord) (wallet.Key, error) {
	key, err := wallet.ParseKey(b.Key, wallet.Network(s.genesis.Network))
	if err != nil {
		return key, fmt.Errorf("key of %q: %w", b.Name, err)
	}
	if key.String() != b.Key {
		return key, fmt.Errorf("key of %q: not in canonical form", b.Name)
	}
	if d := s.genesis.Descriptor; d != "" && !strings.Contains(d, b.Key+"/") {
		return key, fmt.Errorf("key of %q: none of the wallet's", b.Name)
	}
	if err := s.checkProof(key, author, b); err != nil {
		return key, fmt.Errorf("proof of possession of %q: %w", b.Name, err)
	}
	if b.Hosted {
		return key, nil
	}
	// A key that takes no secret would stop every rotation.
	if _, err := journal.SealSecret(journal.Epoch{Group: s.group}, author, author, b.SealingKey); err != nil {
		return key, fmt.Errorf("sealing key of %q: %w", b.Name, err)
	}
	return key, nil
}

// roster evaluates a closed roster from the facts held. ok is false while a
// record is missing or when the roster is invalid; it never becomes valid by
// the order in which things came.
func (s setupFacts) roster(f rosterFact) (*Roster, bool) {
	if f.Ref.Chain.Author != s.genesis.Founder || len(f.Records) != s.genesis.Cosigners {
		return nil, false
	}
	r := &Roster{ID: f.Ref.ID, Ratified: map[journal.EntryID]bool{}}
	ids, xpubs := map[journal.Author]bool{}, map[string]bool{}
	for _, id := range f.Records {
		rec, ok := s.records.Get(mapkey.Of(id))
		if !ok {
			return nil, false
		}
		who := rec.Ref.Chain.Author
		m := Member{Name: rec.Body.Name, Sealing: rec.Body.SealingKey, Key: rec.Key, Proof: rec.Body.How, Record: id}
		if xpubs[rec.Key.XPub] || !rec.Body.Hosted && ids[who] {
			return nil, false
		}
		xpubs[rec.Key.XPub] = true
		if rec.Body.Hosted {
			m.Host = who
		} else {
			m.Identity, ids[who] = who, true
		}
		r.Members = append(r.Members, m)
	}
	if !ids[s.genesis.Founder] {
		return nil, false
	}
	for i, m := range r.Members {
		if m.Hosted() && !ids[m.Host] {
			return nil, false // whoever hosts is a member
		}
		r.Members[i].Original, r.Members[i].FirstSealing = m.Identity, m.Sealing
	}
	d, ok := s.descriptor(r.Members)
	if !ok {
		return nil, false
	}
	MarkNames(r.Members)
	r.Descriptor = d
	s.reveal(r)
	return r, true
}

// descriptor puts the members into the order of their keys, and returns the
// descriptor that these make.
func (s setupFacts) descriptor(members []Member) (*wallet.Descriptor, bool) {
	if d, err := s.genesis.Existing(); err != nil || d != nil {
		return d, err == nil && inOrder(members, d)
	}
	// The order of keys must not depend on who listed them: sorted by text.
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	keys := make([]wallet.Key, len(members))
	for i := range members {
		members[i].Index = i
		keys[i] = members[i].Key
	}
	d, err := wallet.NewMultisig(wallet.Network(s.genesis.Network), wallet.ScriptType(s.genesis.Script), s.genesis.Threshold, keys)
	return d, err == nil
}

// reveal counts the openings of a roster and, when all are there, computes the hash.
func (s setupFacts) reveal(r *Roster) {
	type opened struct {
		record journal.EntryID
		salt   [32]byte
	}
	var all []opened
	for _, m := range r.Members {
		if f, ok := s.revealed(m, r.ID); ok {
			all = append(all, opened{m.Record, f.Salt})
		}
	}
	r.Revealed = len(all)
	if len(all) != len(r.Members) {
		return
	}
	slices.SortFunc(all, func(a, b opened) int { return bytes.Compare(a.record[:], b.record[:]) })
	parts := [][]byte{s.group[:], []byte(r.Descriptor.String())}
	for _, o := range all {
		parts = append(parts, o.record[:], o.salt[:])
	}
	r.Hash = journal.H("roster", parts...)
	for _, m := range r.Members {
		if _, ok := s.ratifiedBy(r.Hash, m); ok {
			r.Ratified[m.Record] = true
		}
	}
}

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

// Roster returns the roster this node stands by: the pinned one once all revealed
// for it; else, where none is pinned, the one it revealed for, else the first valid
// one that the founder closed. Where it took a lost one's place, those with its key
// that all revealed for, and then ratified, go before.
func (s setupFacts) Roster() (*Roster, bool) {
	if s.active != nil {
		// Ratifications may still come in after this node counted them all: no
		// more than n exist, so the active roster is complete as it is.
		return &s.active.Roster, true
	}
	if s.pinned != ([32]byte{}) {
		return s.opened(s.pinned)
	}
	for _, hash := range s.setup.ours.All() {
		return s.opened(hash)
	}
	for _, some := range []iter.Seq[rosterFact]{s.myRosters, s.firstRosters} {
		for f := range some {
			if r, ok := s.roster(f); ok {
				return r, true
			}
		}
	}
	return nil, false
}

// ratifiedByAll says whether as many as the wallet has cosigners ratified what
// this node has pinned, whoever they are.
func (s setupFacts) ratifiedByAll() bool {
	n := 0
	for range pmap.Prefix(s.ratified, mapkey.Of(s.pinned)) {
		if n++; n >= s.genesis.Cosigners {
			return true
		}
	}
	return false
}

// activate looks whether the pinned roster is ratified by all.
func (s State) activate() State {
	if s.active != nil {
		return s
	}
	if s.pinned == ([32]byte{}) || !s.ratifiedByAll() {
		return s
	}
	r, ok := s.Roster()
	if !ok || !r.Complete() || r.Hash != s.pinned || len(r.Ratified) != len(r.Members) {
		return s
	}
	s.active = &Active{Roster: *r}
	for k, f := range s.replaced.All() {
		if !s.CheckReplaced(f.Body) {
			s.replaced = s.replaced.Delete(k)
			s.entryFacts = s.entryFacts.asInert(f.Ref, ruleReplacement)
			continue
		}
		s = s.newcomer(f.Body.New)
	}
	s.relineDue = true
	for _, m := range s.active.Members {
		s.proposalFacts = s.proposalFacts.authorKnown(m.Original)
	}
	return s
}

// Abandoned says whether the founder or a member gave the group up before it
// became active.
func (s setupFacts) Abandoned() bool { return s.active == nil && s.abandoned.Len() > 0 }

// Has says whether an identity is one of the roster's members.
func (r *Roster) Has(id journal.Author) bool {
	_, in := (&Active{Roster: *r}).Index(id)
	return in
}
