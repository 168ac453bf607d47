package group

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/display"
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

// Commitment hides 32 random bytes until the roster is closed.
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

// CheckWords returns an error that names the first word that is in no six words: it
// was typed wrong.
func CheckWords(words []string) error {
	for i, w := range words {
		if _, ok := slices.BinarySearch(wordlists.English, w); !ok {
			return fmt.Errorf("word %d, %.20q, is not in the list of words", i+1, display.Line(w))
		}
	}
	return nil
}

// HostedNames returns the names of the cosigners that others host, with their hosts'.
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

// UnprovenNames returns the names of the other members whose keys nothing proves.
func (r *Roster) UnprovenNames(me journal.Author) []string {
	var out []string
	for _, m := range r.Members {
		if m.Proof == event.ProofNone && m.Identity != me {
			out = append(out, m.Called())
		}
	}
	return out
}

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
	// succession is contested.
	Original     journal.Author
	FirstSealing [32]byte
	// Host is the identity that entered the record of a cosigner without a node,
	// whose Identity, Original and sealing keys are zero; else it is zero.
	Host journal.Author
	// ambiguous: the name does not tell who it is (see Called).
	ambiguous bool
}

// Hosted says whether the member has no node of its own.
func (m Member) Hosted() bool { return m.Host != (journal.Author{}) }

// author is the identity that wrote the member's record, reveal and ratification.
func (m Member) author() journal.Author {
	if m.Hosted() {
		return m.Host
	}
	return m.Original
}

// Called returns the member's name as it is shown everywhere: with part of its
// peer id where another member's name looks like it, or where it cannot be told.
func (m Member) Called() string {
	if !m.ambiguous {
		return m.Name
	}
	id := m.ID()
	if id == "" {
		return fmt.Sprintf("%s (key …%s)", display.Line(m.Name), lastChars(m.Key.XPub))
	}
	return fmt.Sprintf("%s (…%s)", display.Line(m.Name), lastChars(id))
}

// ID returns the member's peer id, or "" for one without a node.
func (m Member) ID() string {
	who := m.Identity
	if who == (journal.Author{}) {
		who = m.Original // its succession is contested
	}
	if who == (journal.Author{}) {
		return ""
	}
	return peerIDText(who)
}

// FullName names a member beyond doubt.
func (m Member) FullName() string {
	if id := m.ID(); id != "" {
		return fmt.Sprintf("%q (%s)", display.Line(m.Name), id)
	}
	return fmt.Sprintf("%q (no node; key %s)", display.Line(m.Name), m.Key.XPub)
}

// shortID is how many characters of a peer id stand beside a name: 70 bits, which
// nobody finds another key for. All peer ids begin alike, so they are the last.
const shortID = 12

func lastChars(s string) string { return s[max(0, len(s)-shortID):] }

// peerIDText is the libp2p peer id of an Ed25519 key: the identity multihash of
// its protobuf form.
func peerIDText(a journal.Author) string {
	return base58.Encode(append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, a[:]...))
}

// MarkNames marks the members whose names do not tell who they are.
func MarkNames(members []Member) {
	folds := make([]string, len(members))
	for i, m := range members {
		folds[i] = display.Fold(m.Name)
	}
	for i := range members {
		members[i].ambiguous = CheckPerson(members[i].Name) != nil
		for j := range members {
			if i != j && display.AlikeFolds(folds[i], folds[j]) {
				members[i].ambiguous = true
			}
		}
	}
}

func CheckPerson(name string) error {
	if err := display.CheckName(name); err != nil {
		return err
	}
	if strings.Contains(name, "12D3KooW") {
		return fmt.Errorf("%w: it looks like a peer id", event.ErrEvent)
	}
	if strings.Contains(display.Fold(name), "(...") {
		return fmt.Errorf("%w: it looks like a name with a peer id beside it", event.ErrEvent)
	}
	return nil
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

// Identities are those that wrote for a key, from the roster's on.
func (a *Active) Identities(k int) []journal.Author {
	if a.lines != nil {
		return a.lines.of[k]
	}
	return []journal.Author{a.Members[k].Original}
}

// KeyOf returns the key that an identity writes or wrote for.
func (a *Active) KeyOf(who journal.Author) (int, bool) {
	if a.lines != nil {
		k, ok := a.lines.key[who]
		return k, ok
	}
	return a.Index(who)
}

// original says whether an identity is one of the roster, and of which key.
func (a *Active) original(who journal.Author) (int, bool) {
	for i, m := range a.Members {
		if m.Original == who && !m.Hosted() {
			return i, true
		}
	}
	return 0, false
}

// Changed says whether anybody was named to take a member's place, and it counts.
func (a *Active) Changed() bool { return a.lines != nil }

// Contested returns the devices that claim a member's place against each other, by
// what states them; none where the member is not contested.
func (a *Active) Contested(k int) []Succession {
	if a.lines == nil {
		return nil
	}
	return a.lines.contested[k]
}

// lines is who writes for each key now, worked out from the successions.
// It is immutable.
type lines struct {
	// of has the identities of each key, from the roster's on; the last one is
	// the member, unless the key is contested.
	of [][]journal.Author
	// key is the key of each identity that a roster or a proven or approved
	// succession names, whether it took effect or not.
	key map[journal.Author]int
	// sealing is the key that a succession in effect gives an identity.
	sealing map[journal.Author][32]byte
	// member are the identities of all of of.
	member map[journal.Author]bool
	// ends are the cuts of identities that were replaced.
	ends map[journal.Author]map[uint8]uint64
	// contested has what stands against each other, by key.
	contested map[int][]Succession
	// rests lists entries that of rests on.
	rests []Ref
}

// rest notes the first of some entries that the lines rest on.
func (l *lines) rest(fs []Succession) {
	for _, f := range fs[:min(len(fs), maxRests)] {
		l.rests = append(l.rests, f.Ref)
	}
}

// know takes the identities for known that are no members, or not yet, and that
// members carried. Without a bound one key could fill every claim with its chains.
func (l *lines) know(others []Succession) {
	slices.SortFunc(others, func(a, b Succession) int {
		return strings.Compare(string(successionKey(a.Ref)), string(successionKey(b.Ref)))
	})
	type by struct {
		carrier journal.Author
		key     uint32
	}
	n := map[by]int{}
	for _, f := range others {
		if _, known := l.key[f.Body.New]; known || !l.member[f.Ref.Chain.Author] {
			continue
		}
		at := by{f.Ref.Chain.Author, f.Body.Key}
		if n[at]++; n[at] <= MaxKnown {
			l.key[f.Body.New] = int(f.Body.Key)
		}
	}
}

// end says where an identity ends that was replaced: of several cuts the lowest counts.
func (l *lines) end(who journal.Author, fs []Succession) {
	var least map[uint8]uint64
	for _, f := range fs {
		cut := map[uint8]uint64{}
		for _, c := range f.Body.Cuts {
			cut[c.Incarnation] = c.Seq
			if least != nil {
				cut[c.Incarnation] = min(c.Seq, least[c.Incarnation])
			}
		}
		least = cut
	}
	l.ends[who] = least
}

type Succession struct {
	Ref  Ref                   `cbor:"1,keyasint"`
	Body *event.MemberReplaced `cbor:"2,keyasint"`
}

// maxLine bounds how often one key's identity is followed from one to the next.
const maxLine = 64

// maxRests is how many entries that state a succession in effect, or of each
// key the successions that contest it, are handed on where they lie past a fork.
// More of them change nothing but where the replaced one ends.
const maxRests = 16

// MaxKnown is of how many identities that are no members, of those that one
// member carried for a key, entries are taken: their signatures count all the
// same. The other ones are heard once they are members.
const MaxKnown = 4

// Has says whether an identity is one of the roster's members.
func (r *Roster) Has(id journal.Author) bool {
	_, in := (&Active{Roster: *r}).Index(id)
	return in
}
