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
	// MaxStanzas is how many rotations of one author to one set of members count,
	// its first ones. One a month makes 21 years, and a new device begins anew.
	MaxStanzas = 256
	// MaxSpoiled is how many of an author's epochs may have to be sealed again by
	// somebody else until its later ones are not written under any more.
	MaxSpoiled = 8
)

// epochBook is what the epochs of a State are found by. It is derived from
// rotations, failures, the epochs of entries, and the secrets held, and kept up
// to date as these come in, so that a step never walks over all of them.
//
// Bounds: a member brings at most 32,768 entries at once (see quota). full,
// fullOf and by have one item for each rotation at most; given one for each
// stanza (64 an entry, which then has 16 KiB: 131,072 items in 32 MiB); users, waiting
// and the queues one or two for each entry.
type epochBook struct {
	full   pmap.Map[string, epochNode]       // by recipients | author | place: rotations
	fullOf pmap.Map[string, string]          // by epoch | recipients | author: the place of the first
	given  pmap.Map[string, bool]            // by epoch | recipient | author: true where it was sealed to that one alone
	users  pmap.Map[string, bool]            // by epoch | author: who wrote under it (true), or signed what is under it
	wrote  pmap.Map[string, struct{}]        // by author | epoch
	asked  pmap.Map[string, int]             // by author | identity: how many epochs that the author uses the identity failed to open
	under  pmap.Map[string, journal.EpochID] // by entry: its epoch, unless that is the first
	// waiting has the sealed entries by chain | seq | id.
	waiting pmap.Map[string, journal.EpochID]

	seated  *Active  // the members that what follows is for
	seats   [32]byte // hash of their identities
	counts  pmap.Map[string, *standing]
	nodes   pmap.Map[string, struct{}]        // by parent | number | epoch: counted and untainted
	follows pmap.Map[string, struct{}]        // by epoch | number | parent: nodes that descend from epoch 0 through nodes
	ranked  pmap.Map[string, journal.EpochID] // those to write under, the first of them first
	byNo    pmap.Map[string, journal.EpochID] // all secrets held, highest number first

	// stale lists the authors whose standing has to be worked out anew.
	stale []journal.Author
	// asks, strange and answers are what stanza.go has to look at, each by who
	// caused it, so that nobody's take the place of another's.
	asks    pmap.Map[string, askDue]
	strange pmap.Map[string, askDue]
	answers pmap.Map[string, journal.EpochID]
}

// epochNode is an epoch as a rotation states it. Whoever holds its secret knows
// whether that is so: the id commits to it.
type epochNode struct {
	ID     journal.EpochID
	Number uint64
	Parent journal.EpochID
}

func (n epochNode) key() string {
	return mapkey.Of(n.ID) + mapkey.Number(n.Number) + mapkey.Of(n.Parent)
}

// child is the key of a node among those of its parent.
func (n epochNode) child() string {
	return mapkey.Of(n.Parent) + mapkey.Number(n.Number) + mapkey.Of(n.ID)
}

// rank is its key where the highest number, then the lowest id, comes first.
func (n epochNode) rank() string { return mapkey.Number(^n.Number) + mapkey.Of(n.ID) }

// standing is what one member's rotations to exactly the present members come to.
// It is immutable.
type standing struct {
	counted []epochNode // the first MaxStanzas, in the author's order
	last    string      // place of the last one, where there are that many
	obeyed  map[epochNode]bool
	spoiled int
	nodes   []epochNode // those of counted that are not tainted
}

// placeOf orders what one author wrote.
func placeOf(r Ref) string {
	return string([]byte{r.Chain.Incarnation}) + mapkey.Number(r.Seq) + mapkey.Of(r.ID)
}

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

// rotated takes in what a rotation says of its epoch.
func (s State) rotated(f rotationFact) State {
	by, to := f.Ref.Chain.Author, recipients(f.To)
	k := mapkey.Of2(f.Epoch, to) + mapkey.Of(by)
	at := placeOf(f.Ref)
	s.book.full = s.book.full.Set(mapkey.Of2(to, by)+at, epochNode{f.Epoch, f.Number, f.Parent})
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
func (s State) uses(epoch journal.EpochID, by journal.Author, wrote bool) State {
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
	for k, f := range pmap.Prefix(s.failures, mapkey.Of(epoch)) {
		s = s.charge(by, journal.Author([]byte(k[32:]))).mustAnswer(f)
	}
	return s
}

func (s State) charge(by, who journal.Author) State {
	k := mapkey.Of2(by, who)
	n, _ := s.book.asked.Get(k)
	s.book.asked = s.book.asked.Set(k, n+1)
	return s
}

// failed takes in that somebody could not open an epoch.
func (s State) failed(f failureFact) State {
	k := mapkey.Of2(f.Epoch, f.Ref.Chain.Author)
	_, known := s.failures.Get(k)
	s.failures = lowest(s.failures, k, f, func(f failureFact) Ref { return f.Ref })
	if known {
		return s
	}
	for u := range pmap.Prefix(s.book.users, mapkey.Of(f.Epoch)) {
		s = s.charge(journal.Author([]byte(u[32:])), f.Ref.Chain.Author)
	}
	return s.mustAnswer(f).reweighOf(f.Epoch)
}

// reweigh has an author's standing worked out anew by derived.
func (s State) reweigh(who journal.Author) State {
	if s.active != nil && !slices.Contains(s.book.stale, who) {
		s.book.stale = append(s.book.stale[:len(s.book.stale):len(s.book.stale)], who)
	}
	return s
}

// reweighOf does so for those whose rotations of an epoch count.
func (s State) reweighOf(epoch journal.EpochID) State {
	for who := range s.obeying(epoch) {
		s = s.reweigh(who)
	}
	return s
}

// obeying yields the members that rotated an epoch to exactly the present
// members, and where they first did.
func (s State) obeying(epoch journal.EpochID) func(yield func(journal.Author, string) bool) {
	return func(yield func(journal.Author, string) bool) {
		if s.active == nil {
			return
		}
		for k, at := range pmap.Prefix(s.book.fullOf, mapkey.Of2(epoch, s.book.seats)) {
			who := journal.Author([]byte(k[64:]))
			if _, member := s.active.Index(who); member && !yield(who, at) {
				return
			}
		}
	}
}

// epochsRetainted works out anew what the epochs rest on (see derived).
func (s State) epochsRetainted(r retaint) State { return s.reweigh(r.Chain.Author) }

// epochsDerived brings what is written under up to date: for the authors of
// whom something changed, and for all when the members are others.
func (s State) epochsDerived() State {
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
func (s State) reseated() State {
	s.book.seated = s.active
	if s.active == nil {
		return s
	}
	seats := recipients(s.Members())
	if seats == s.book.seats {
		return s
	}
	s.book.seats = seats
	s.book.counts = pmap.Map[string, *standing]{}
	s.book.nodes, s.book.follows, s.book.ranked = pmap.Map[string, struct{}]{}, pmap.Map[string, struct{}]{}, pmap.Map[string, journal.EpochID]{}
	s.book.stale = s.Members()
	return s
}

// weigh works out the standing of one author, and what changes with it.
func (s State) weigh(who journal.Author) State {
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

// standing goes through the first rotations of an author to the present members.
func (s State) standing(who journal.Author) *standing {
	out := &standing{obeyed: map[epochNode]bool{}}
	bad := map[journal.EpochID]bool{}
	prefix := mapkey.Of2(s.book.seats, who)
	for k, x := range pmap.Prefix(s.book.full, prefix) {
		at := k[len(prefix):]
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
func (s State) spoiled(epoch journal.EpochID, by journal.Author) bool {
	failed := 0
	for k := range pmap.Prefix(s.failures, mapkey.Of(epoch)) {
		who := journal.Author([]byte(k[32:]))
		if _, member := s.active.Index(who); !member || who == by {
			continue
		}
		failed++
		for g := range pmap.Prefix(s.book.given, mapkey.Of2(epoch, who)) {
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
func (s State) grow(x epochNode) State {
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
		for k := range pmap.Prefix(s.book.nodes, mapkey.Of(x.ID)+mapkey.Number(x.Number+1)) {
			next = append(next, epochNode{journal.EpochID([]byte(k[40:])), x.Number + 1, x.ID})
		}
	}
	return s
}

func (s State) parentFollows(x epochNode) bool {
	if x.Number == 1 {
		return x.Parent == s.zero
	}
	for range pmap.Prefix(s.book.follows, mapkey.Of(x.Parent)+mapkey.Number(x.Number-1)) {
		return true
	}
	return false
}

// regrown works out all that follows: some node went. There are MaxStanzas for
// each member at most.
func (s State) regrown() State {
	s.book.nodes, s.book.follows = pmap.Map[string, struct{}]{}, pmap.Map[string, struct{}]{}
	s.book.ranked = pmap.Map[string, journal.EpochID]{}
	for _, who := range s.Members() {
		if c, ok := s.book.counts.Get(mapkey.Of(who)); ok {
			for _, x := range c.nodes {
				s = s.grow(x)
			}
		}
	}
	return s
}

// obeyed says whether an epoch is one to write under, for whoever holds it.
func (s State) obeyed(x epochNode) bool {
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

// ranks puts a node where it belongs: among those to write under, or among
// those to ask for.
func (s State) ranks(x epochNode) State {
	if !s.obeyed(x) {
		s.book.ranked = s.book.ranked.Delete(x.rank())
		return s
	}
	if e, held := s.epochs.Get(mapkey.Of(x.ID)); held {
		if e.Number == x.Number && e.Parent == x.Parent { // else the rotation lied
			s.book.ranked = s.book.ranked.Set(x.rank(), x.ID)
		}
		return s
	}
	for who, at := range s.obeying(x.ID) {
		return s.mayAsk(who, at, askDue{Epoch: x.ID, Node: x})
	}
	return s
}

// counted says whether an epoch is among those of some member that count, tainted
// or not: an honest member may have written under it.
func (s State) counted(epoch journal.EpochID) bool {
	for who, at := range s.obeying(epoch) {
		if c, ok := s.book.counts.Get(mapkey.Of(who)); ok && (c.last == "" || at <= c.last) {
			return true
		}
	}
	return false
}

// mayRotate says whether the next rotation of a member would be written under.
func (s State) MayRotate(who journal.Author) bool {
	c, ok := s.book.counts.Get(mapkey.Of(who))
	return ok && len(c.counted) < MaxStanzas && c.spoiled < MaxSpoiled
}

// fitting returns the epoch to write under among those that are sealed to
// exactly the members: the highest number, then the lowest id.
func (s State) Fitting() (journal.Epoch, bool) {
	if s.active != nil {
		for _, id := range s.book.ranked.All() {
			return s.epochs.Get(mapkey.Of(id))
		}
	}
	return journal.Epoch{}, false
}

// Epoch returns the epoch that this node writes under: epoch 0 before the
// wallet is active, and where none is sealed to exactly the members.
func (s State) Epoch() (journal.Epoch, bool) {
	if e, ok := s.Fitting(); ok {
		return e, true
	}
	return s.epochs.Get(mapkey.Of(s.zero))
}

// MaxTopics is how many topics of one group a node listens on. Those of other
// epochs are not needed: what is published there travels by sync as well.
const MaxTopics = 16

// topics are those of the epoch written under, of the first epoch, of others that
// are sealed to the members, each author's newest ones, and of the highest numbers:
// nodes of an earlier version may write under these.
func (s State) Topics() []string {
	cur, _ := s.Epoch()
	out := []string{cur.Topic()}
	add := func(id journal.EpochID) {
		e, held := s.epochs.Get(mapkey.Of(id))
		if t := e.Topic(); held && len(out) < MaxTopics && !slices.Contains(out, t) {
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
func (s State) FirstEpochID() journal.EpochID { return s.zero }
