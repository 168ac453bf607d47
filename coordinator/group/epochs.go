package group

import (
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// recipients names a set of identities, whatever their order.
func recipients(to []journal.Author) [32]byte {
	sorted := slices.Clone(to)
	slices.SortFunc(sorted, func(a, b journal.Author) int { return slices.Compare(a[:], b[:]) })
	var parts [][]byte
	for _, a := range slices.Compact(sorted) {
		parts = append(parts, a[:])
	}
	return journal.H("recipients", parts...)
}

// obeying yields the members that rekeyed an epoch to exactly the present
// members, and where they first did.
func (s epochFacts) obeying(epoch journal.EpochID) func(yield func(journal.Author, ownPlace) bool) {
	return func(yield func(journal.Author, ownPlace) bool) {
		if s.active == nil {
			return
		}
		for k, at := range mapkey.Under2(s.book.fullOf, epoch, s.book.seats) {
			who := journal.Author([]byte(k[64:]))
			if _, member := s.active.Index(who); member && !yield(who, at) {
				return
			}
		}
	}
}

// obeyed says whether an epoch is one to write under, for whoever holds it.
func (s epochFacts) obeyed(x epochNode) bool {
	if _, ok := s.book.follows.Get(x.key()); !ok {
		return false
	}
	for who := range s.obeying(x.ID) {
		if c, ok := s.book.counts.Get(mapkey.Of(who)); ok && c.obeyed[x] {
			return true
		}
	}
	return false
}

// counted says whether an epoch is among those of some member that count, tainted
// or not: an honest member may have written under it.
func (s epochFacts) counted(epoch journal.EpochID) bool {
	for who, at := range s.obeying(epoch) {
		if c, ok := s.book.counts.Get(mapkey.Of(who)); ok && (c.last == "" || at <= c.last) {
			return true
		}
	}
	return false
}

// MayRekey says whether the next rekey of a member would be written under.
func (s epochFacts) MayRekey(who journal.Author) bool {
	c, ok := s.book.counts.Get(mapkey.Of(who))
	return ok && len(c.counted) < MaxStanzas && c.spoiled < MaxSpoiled
}

// Fitting returns the epoch to write under among those that are sealed to
// exactly the members: the highest number, then the lowest id.
func (s epochFacts) Fitting() (journal.Epoch, bool) {
	if s.active != nil {
		for _, id := range s.book.ranked.All() {
			return s.epochs.Get(mapkey.Of(id))
		}
	}
	return journal.Epoch{}, false
}

// Epoch returns the epoch that this node writes under: epoch 0 before the
// wallet is active, and where none is sealed to exactly the members.
func (s epochFacts) Epoch() (journal.Epoch, bool) {
	if e, ok := s.Fitting(); ok {
		return e, true
	}
	return s.epochs.Get(mapkey.Of(s.zero))
}

// MaxTopics is how many topics of one group a node listens on. Those of other
// epochs are not needed: what is published there travels by sync as well.
const MaxTopics = 16

// Topics are those of the epoch written under, of the first epoch, of others that
// are sealed to the members, each author's newest ones, and of the highest numbers:
// nodes of an earlier version may write under these.
func (s epochFacts) Topics() []string {
	cur, _ := s.Epoch()
	out := []string{cur.Topic()}
	known := []journal.EpochID{cur.ID()} // most are named more than once, and deriving a topic costs several hashes
	add := func(id journal.EpochID) {
		if len(out) == MaxTopics || slices.Contains(known, id) {
			return
		}
		known = append(known, id)
		e, held := s.epochs.Get(mapkey.Of(id))
		if !held {
			return
		}
		if t := e.Topic(); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	add(s.zero)
	if s.active != nil {
		share := max(1, (MaxTopics-2)/2/max(1, len(s.Members())))
		for _, who := range s.Members() {
			c, _ := s.book.counts.Get(mapkey.Of(who))
			for n := 0; c != nil && n < share && n < len(c.nodes); n++ {
				add(c.nodes[len(c.nodes)-1-n].ID)
			}
		}
	}
	seen := 0
	for _, id := range s.book.byNo.All() {
		add(id)
		if seen++; seen == MaxTopics {
			break
		}
	}
	slices.Sort(out[1:])
	return out
}

// FirstEpochID returns the id of epoch 0.
func (s epochFacts) FirstEpochID() journal.EpochID { return s.zero }

// EpochHeld returns an epoch whose secret is held.
func (s epochFacts) EpochHeld(id journal.EpochID) (journal.Epoch, bool) {
	return s.epochs.Get(mapkey.Of(id))
}

// FirstEpoch returns the epoch that all hold who ever entered.
func (s epochFacts) FirstEpoch() (journal.Epoch, bool) { return s.EpochHeld(s.zero) }

// Named says whether a member named an entry, as one that others need to hold.
func (s epochFacts) Named(id journal.EntryID) bool { return mapkey.HasUnder(s.named, id) }

// lacks says whether entries are held that only an epoch's secret opens.
func (s epochFacts) lacks(id journal.EpochID) bool {
	return mapkey.HasUnder(s.sealed, id)
}

// RekeyedAt returns the earliest time that a member claims for its rekey to
// the present members (Unix milliseconds), now at the latest.
func (s epochFacts) RekeyedAt(epoch journal.EpochID, now int64) int64 {
	for _, at := range s.obeying(epoch) {
		if f, ok := s.rekeys.Get(mapkey.Of2(epoch, mapkey.Entry(at))); ok {
			now = min(now, f.Ref.Time)
		}
	}
	return now
}

// EpochsOf returns how many epochs of an identity count for the present members,
// and how many of these others had to seal again; false where it made none.
func (s epochFacts) EpochsOf(who journal.Author) (made, spoiled int, ok bool) {
	c, ok := s.book.counts.Get(mapkey.Of(who))
	return len(c.counted), c.spoiled, ok
}

// Seats is a hash of who the members are and who holds which place.
func (s epochFacts) Seats() [32]byte { return s.book.seats }

// WroteUnder returns the first author and epoch that it wrote under, from a place
// on, and their place, "" at the end.
func (s epochFacts) WroteUnder(from ByWriter) (by journal.Author, epoch journal.EpochID, at ByWriter) {
	for k := range s.book.wrote.From(from) {
		return k.First(), k.Second(), k
	}
	return by, epoch, ""
}

// ToHand says whether this node has not sealed an epoch to a member yet, in a
// rekey for all or for that one.
func (s epochFacts) ToHand(ep journal.Epoch, who journal.Author) bool {
	_, given := s.book.given.Get(mapkey.Of3(ep.ID(), who, s.Me()))
	return !given
}

type epochKept struct {
	Epochs   []record.Pair[journal.Epoch] `cbor:"8,keyasint"`
	Rekeys   []record.Pair[rekeyFact]     `cbor:"9,keyasint"`
	Sealed   []record.Pair[[]byte]        `cbor:"10,keyasint"`
	Failures []record.Pair[failureFact]   `cbor:"11,keyasint"`
	Named    []record.Pair[Ref]           `cbor:"27,keyasint"`
	Under    []underKept                  `cbor:"31,keyasint"` // the entries of each epoch but the first
}

// underKept lists the entries of an epoch. Each is 32 bytes of IDs.
type underKept struct {
	Epoch journal.EpochID `cbor:"1,keyasint"`
	IDs   []byte          `cbor:"2,keyasint"`
}

func (s epochFacts) kept() epochKept {
	k := epochKept{Epochs: record.Dump(s.epochs), Rekeys: record.Dump(s.rekeys), Failures: record.Dump(s.failures), Named: record.Dump(s.named)}
	for at, e := range s.sealed.All() {
		k.Sealed = append(k.Sealed, record.Pair[[]byte]{K: []byte(at), V: e.Bytes()})
	}
	at := map[journal.EpochID]int{}
	for id, epoch := range s.book.under.All() {
		n, ok := at[epoch]
		if !ok {
			n, at[epoch] = len(k.Under), len(k.Under)
			k.Under = append(k.Under, underKept{Epoch: epoch})
		}
		k.Under[n].IDs = append(k.Under[n].IDs, id...)
	}
	return k
}

// into leaves out what is sealed, failed or written under an epoch: what these are
// found by is made of them one by one (see State.withBooks).
func (k epochKept) into(s *epochFacts) {
	record.Undump(&s.epochs, k.Epochs)
	record.Undump(&s.rekeys, k.Rekeys)
	record.Undump(&s.named, k.Named)
}
