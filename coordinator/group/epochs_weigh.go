package group

import (
	"encoding/binary"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Bounds of the epochs that are written under. Both are judged by the set of
// entries, in the order of each author's own chain, never by arrival.
const (
	// MaxStanzas is how many rekeys of one author to one set of members count,
	// its first ones. One a month makes 21 years, and a new device begins anew.
	MaxStanzas = 256
	// MaxSpoiled is how many of an author's epochs may have to be sealed again by
	// somebody else until its later ones are not written under any more.
	MaxSpoiled = 8
)

// rekeyed takes in what a rekey says of its epoch.
func (s epochFacts) rekeyed(f rekeyFact) epochFacts {
	by, to := f.Ref.Chain.Author, recipients(f.To)
	k := mapkey.Of3(f.Epoch, to, by)
	at := placeOf(f.Ref)
	s.book.full = s.book.full.Set(byRecipients(mapkey.Of2(to, by))+byRecipients(at), epochNode{f.Epoch, f.Number, f.Parent})
	if old, ok := s.book.fullOf.Get(k); !ok || at < old {
		s.book.fullOf = s.book.fullOf.Set(k, at)
	}
	if c, ok := s.book.counts.Get(mapkey.Of(by)); ok && to == s.book.seats && (c.last == "" || at < c.last) {
		s = s.reweigh(by)
	}
	for _, who := range f.To {
		g := mapkey.Of3(f.Epoch, who, by)
		single, had := s.book.given.Get(g)
		if !had || len(f.To) == 1 && !single {
			s.book.given = s.book.given.Set(g, len(f.To) == 1)
		}
		if _, failed := s.failures.Get(mapkey.Of2(f.Epoch, who)); failed && !had {
			s = s.reweighOf(f.Epoch)
		}
	}
	if s.lacks(f.Epoch) {
		s = s.mayAsk(by, at, askDue{Epoch: f.Epoch})
	}
	return s
}

// uses notes that an author has to do with an epoch: those who say that they
// cannot open it are answered on its account, too.
func (s epochFacts) uses(epoch journal.EpochID, by journal.Author, wrote bool) epochFacts {
	k := mapkey.Of2(epoch, by)
	old, known := s.book.users.Get(k)
	if !known || wrote && !old {
		s.book.users = s.book.users.Set(k, wrote)
	}
	if wrote {
		s.book.wrote = s.book.wrote.Set(mapkey.Of2(by, epoch), struct{}{})
	}
	if known {
		return s
	}
	for k, f := range mapkey.Under(s.failures, epoch) {
		s = s.charge(by, k.Second()).mustAnswer(f)
	}
	return s
}

func (s epochFacts) charge(by, who journal.Author) epochFacts {
	k := mapkey.Of2(by, who)
	n, _ := s.book.asked.Get(k)
	s.book.asked = s.book.asked.Set(k, n+1)
	return s
}

// failed takes in that somebody could not open an epoch.
func (s epochFacts) failed(f failureFact) epochFacts {
	k := mapkey.Of2(f.Epoch, f.Ref.Chain.Author)
	_, known := s.failures.Get(k)
	s.failures = lowest(s.failures, k, f, func(f failureFact) Ref { return f.Ref })
	if known {
		return s
	}
	for u := range mapkey.Under(s.book.users, f.Epoch) {
		s = s.charge(u.Second(), f.Ref.Chain.Author)
	}
	return s.mustAnswer(f).reweighOf(f.Epoch)
}

// reweigh has an author's standing worked out anew by derived.
func (s epochFacts) reweigh(who journal.Author) epochFacts {
	if s.active != nil && !slices.Contains(s.book.stale, who) {
		s.book.stale = append(s.book.stale[:len(s.book.stale):len(s.book.stale)], who)
	}
	return s
}

// reweighOf does so for those whose rekeys of an epoch count.
func (s epochFacts) reweighOf(epoch journal.EpochID) epochFacts {
	for who := range s.obeying(epoch) {
		s = s.reweigh(who)
	}
	return s
}

// epochsRetainted works out anew what the epochs rest on (see derived).
func (s epochFacts) epochsRetainted(r retaint) epochFacts { return s.reweigh(r.Chain.Author) }

// epochsDerived brings what is written under up to date: for the authors of
// whom something changed, and for all when the members are others.
func (s epochFacts) epochsDerived() epochFacts {
	if s.active != s.book.seated {
		s = s.reseated()
	}
	due := s.book.stale
	s.book.stale = nil
	for _, who := range due {
		s = s.weigh(who)
	}
	return s
}

// reseated begins anew for a changed set of members.
func (s epochFacts) reseated() epochFacts {
	s.book.seated = s.active
	if s.active == nil {
		return s
	}
	seats := recipients(s.Members())
	if seats == s.book.seats {
		return s
	}
	s.book.seats = seats
	s.book.counts = pmap.Map[mapkey.ByAuthor, *standing]{}
	s.book.nodes, s.book.follows, s.book.ranked = pmap.Map[byParent, struct{}]{}, pmap.Map[byNode, struct{}]{}, pmap.Map[byNumber, journal.EpochID]{}
	s.book.stale = s.Members()
	return s
}

// weigh works out the standing of one author, and what changes with it.
func (s epochFacts) weigh(who journal.Author) epochFacts {
	if _, member := s.active.Index(who); !member {
		return s
	}
	old, _ := s.book.counts.Get(mapkey.Of(who))
	if old == nil {
		old = &standing{}
	}
	now := s.standing(who)
	s.book.counts = s.book.counts.Set(mapkey.Of(who), now)
	if n := len(old.nodes); len(now.nodes) >= n && slices.Equal(old.nodes, now.nodes[:n]) {
		for _, x := range now.nodes[n:] {
			s = s.grow(x)
		}
	} else {
		s = s.regrown()
	}
	for _, list := range [][]epochNode{old.nodes, now.nodes} {
		for _, x := range list {
			if old.obeyed[x] != now.obeyed[x] {
				s = s.ranks(x)
			}
		}
	}
	return s
}

// standing goes through the first rekeys of an author to the present members.
func (s epochFacts) standing(who journal.Author) *standing {
	out := &standing{obeyed: map[epochNode]bool{}}
	bad := map[journal.EpochID]bool{}
	prefix := byRecipients(mapkey.Of2(s.book.seats, who))
	for k, x := range pmap.Prefix(s.book.full, prefix) {
		at := ownPlace(k[len(prefix):])
		out.counted = append(out.counted, x)
		ref := Ref{Chain: journal.ChainKey{Author: who, Incarnation: at[0]}, Seq: binary.BigEndian.Uint64([]byte(at[1:9]))}
		if !s.tainted(ref) {
			out.nodes = append(out.nodes, x)
			if out.spoiled < MaxSpoiled {
				out.obeyed[x] = true
			}
		}
		if !bad[x.ID] && s.spoiled(x.ID, who) {
			bad[x.ID] = true
			out.spoiled++
		}
		if len(out.counted) == MaxStanzas {
			out.last = at
			break
		}
	}
	return out
}

// spoiled says whether an epoch that an author sealed did not open for some
// member, so that a third one sealed it again, or there is no third one.
func (s epochFacts) spoiled(epoch journal.EpochID, by journal.Author) bool {
	failed := 0
	for k := range mapkey.Under(s.failures, epoch) {
		who := k.Second()
		if _, member := s.active.Index(who); !member || who == by {
			continue
		}
		failed++
		for g := range mapkey.Under2(s.book.given, epoch, who) {
			third := journal.Author([]byte(g[64:]))
			if _, member := s.active.Index(third); member && third != by && third != who {
				return true
			}
		}
	}
	return failed > 0 && failed == len(s.Members())-1
}

// grow takes in one node more: it follows if its parent does, and then so do
// those that waited for it.
func (s epochFacts) grow(x epochNode) epochFacts {
	s.book.nodes = s.book.nodes.Set(x.child(), struct{}{})
	if !s.parentFollows(x) {
		return s
	}
	for next := []epochNode{x}; len(next) > 0; next = next[1:] {
		x := next[0]
		if _, done := s.book.follows.Get(x.key()); done {
			continue
		}
		s.book.follows = s.book.follows.Set(x.key(), struct{}{})
		s = s.ranks(x)
		for k := range pmap.Prefix(s.book.nodes, byParent(x.ID[:])+byParent(mapkey.Number(x.Number+1))) {
			next = append(next, epochNode{journal.EpochID([]byte(k[40:])), x.Number + 1, x.ID})
		}
	}
	return s
}

func (s epochFacts) parentFollows(x epochNode) bool {
	if x.Number == 1 {
		return x.Parent == s.zero
	}
	for range pmap.Prefix(s.book.follows, byNode(x.Parent[:])+byNode(mapkey.Number(x.Number-1))) {
		return true
	}
	return false
}

// regrown works out all that follows: some node went. There are MaxStanzas for
// each member at most.
func (s epochFacts) regrown() epochFacts {
	s.book.nodes, s.book.follows = pmap.Map[byParent, struct{}]{}, pmap.Map[byNode, struct{}]{}
	s.book.ranked = pmap.Map[byNumber, journal.EpochID]{}
	for _, who := range s.Members() {
		if c, ok := s.book.counts.Get(mapkey.Of(who)); ok {
			for _, x := range c.nodes {
				s = s.grow(x)
			}
		}
	}
	return s
}

// ranks puts a node where it belongs: among those to write under, or among
// those to ask for.
func (s epochFacts) ranks(x epochNode) epochFacts {
	if !s.obeyed(x) {
		s.book.ranked = s.book.ranked.Delete(x.rank())
		return s
	}
	if e, held := s.epochs.Get(mapkey.Of(x.ID)); held {
		if e.Number == x.Number && e.Parent == x.Parent { // else the rekey lied
			s.book.ranked = s.book.ranked.Set(x.rank(), x.ID)
		}
		return s
	}
	for who, at := range s.obeying(x.ID) {
		return s.mayAsk(who, at, askDue{Epoch: x.ID, Node: x})
	}
	return s
}

// mayAsk has tellStanza look at an epoch; by is on whose account.
func (s epochFacts) mayAsk(by journal.Author, at ownPlace, d askDue) epochFacts {
	k := ByAsk(by[:]) + ByAsk(at)
	if old, ok := s.book.asks.Get(k); ok && old.Epoch == d.Epoch {
		d.Named = d.Named || old.Named
		if d.Node == (epochNode{}) {
			d.Node = old.Node
		}
	}
	s.book.asks = s.book.asks.Set(k, d)
	return s
}

// learnt takes in that the secret of an epoch is held.
func (s epochFacts) learnt(ep journal.Epoch) epochFacts {
	x := epochNode{ep.ID(), ep.Number, ep.Parent}
	s.book.byNo = s.book.byNo.Set(x.rank(), x.ID)
	for _, f := range mapkey.Under(s.failures, x.ID) {
		s = s.mustAnswer(f)
	}
	return s.ranks(x)
}

// mustAnswer has sealAgain look at what a member could not open.
func (s epochFacts) mustAnswer(f failureFact) epochFacts {
	s.book.answers = s.book.answers.Set(placeKey(f.Ref), f.Epoch)
	return s
}

// signedUnder notes that somebody signed, or named, an entry of an epoch.
func (s epochFacts) signedUnder(id journal.EntryID, epoch journal.EpochID, by journal.Author) epochFacts {
	s = s.uses(epoch, by, false)
	if _, held := s.epochs.Get(mapkey.Of(epoch)); held {
		return s
	}
	return s.mayAsk(by, "named"+ownPlace(id[:]), askDue{Epoch: epoch, Named: true})
}
