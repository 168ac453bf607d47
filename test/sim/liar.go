package sim

import (
	"crypto/ed25519"
	"encoding/binary"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// liar is a member who does what it likes. Its machine tells it what the others
// hold; what it writes need not come from there. It keeps as many branches of
// its chain as it likes, and shows each of the others the one it chose for it.
type liar struct {
	n        *node
	branches [][]*journal.Entry // of its first incarnation; the machine's own is the first
	show     map[int]int        // by node: which branch
	later    map[journal.ChainKey][]*journal.Entry
	made     map[journal.EntryID]*journal.Entry
	mute     map[int]bool              // serves nothing to
	claims   map[int]func(*port.Claim) // what it pretends to hold
	withheld []signed
	secrets  []journal.Epoch // of epochs that it made
	at       journal.ChainKey
}

// signed are signatures that were made and not told.
type signed struct {
	proposal journal.EntryID
	sigs     []event.PartialSignature
}

func newLiar(n *node) *liar {
	l := &liar{n: n, branches: [][]*journal.Entry{nil}, show: map[int]int{}, later: map[journal.ChainKey][]*journal.Entry{},
		made: map[journal.EntryID]*journal.Entry{}, mute: map[int]bool{}, claims: map[int]func(*port.Claim){}}
	l.at = journal.ChainKey{Author: n.id(), Incarnation: 1}
	return l
}

func (l *liar) first() journal.ChainKey { return journal.ChainKey{Author: l.n.id(), Incarnation: 1} }

// refresh takes in what its machine wrote by itself.
func (l *liar) refresh() {
	own := l.n.disk.chains[l.first()]
	for i, e := range own {
		if e.Position().Seq != uint64(i+1) {
			return // it holds its own fork
		}
	}
	if len(own) >= len(l.branches[0]) {
		l.branches[0] = own
	}
}

// claim is what it says to somebody that it holds.
func (l *liar) claim(to *node) port.Claim {
	l.refresh()
	c := l.n.trueClaim()
	c.Forks = slices.DeleteFunc(c.Forks, func(f journal.Fork) bool { return f.Chain.Author == l.n.id() })
	delete(c.Frontier, l.first())
	if b := l.branches[l.show[to.i]]; len(b) > 0 {
		c.Frontier[l.first()] = b[len(b)-1].Position()
	}
	for k, b := range l.later {
		c.Frontier[k] = b[len(b)-1].Position()
	}
	if f := l.claims[to.i]; f != nil {
		f(&c)
	}
	return c
}

func (l *liar) serveRange(to *node, k journal.ChainKey, seq uint64, limit int) []*journal.Entry {
	switch {
	case l.mute[to.i]:
		return nil
	case k == l.first():
		l.refresh()
		return rangeOf(l.branches[l.show[to.i]], seq, limit)
	case l.later[k] != nil:
		return rangeOf(l.later[k], seq, limit)
	}
	return rangeOf(l.n.disk.chains[k], seq, limit)
}

func (l *liar) serveEntry(to *node, id journal.EntryID) *journal.Entry {
	if l.mute[to.i] {
		return nil
	}
	if e := l.made[id]; e != nil {
		return e
	}
	return l.n.disk.entries[id]
}

func (l *liar) nonce() [24]byte {
	in := l.n.input(nil)
	return [24]byte(in.Entropy[:24])
}

// next is the place after the last entry of a branch, or of a later incarnation.
func next(inc uint8, b []*journal.Entry) journal.Next {
	at := journal.Next{Incarnation: inc, Seq: uint64(len(b) + 1)}
	if len(b) > 0 {
		at.Prev = b[len(b)-1].ID()
	}
	return at
}

// seal makes an entry of any content at any place.
func (l *liar) seal(at journal.Next, body event.Body) *journal.Entry {
	plain, err := event.Encode(event.Event{Time: l.n.clock().UnixMilli(), Body: body})
	if err != nil {
		return nil
	}
	return l.sealRaw(at, plain)
}

func (l *liar) sealRaw(at journal.Next, plain []byte) *journal.Entry {
	ep, _ := l.n.m.State.Epoch()
	if n := len(l.secrets); n > 0 && l.n.w.rng.IntN(3) == 0 {
		ep = l.secrets[l.n.w.rng.IntN(n)]
	}
	e, err := journal.Seal(l.n.self.Identity, ep, at, plain, l.nonce())
	if err != nil {
		return nil
	}
	return e
}

// append puts an entry at the end of a branch and lets its own machine know,
// where that has the branch.
func (l *liar) append(branch int, e *journal.Entry) *journal.Entry {
	if e == nil {
		return nil
	}
	l.made[e.ID()] = e
	l.branches[branch] = append(slices.Clone(l.branches[branch]), e)
	if branch == 0 {
		_, _ = l.n.do(coordinator.EntryIn{Entry: e})
	}
	return e
}

// write says something on one branch, to those who are shown it.
func (l *liar) write(branch int, body event.Body) *journal.Entry {
	l.refresh()
	e := l.append(branch, l.seal(next(1, l.branches[branch]), body))
	l.tell(e, func(to int) bool { return l.show[to] == branch })
	return e
}

// say writes on its latest chain, or on any branch.
func (l *liar) say(body event.Body) {
	if b := l.later[l.at]; b != nil && l.n.w.rng.IntN(2) == 0 {
		l.grow(l.at, l.seal(next(l.at.Incarnation, b), body))
		return
	}
	l.write(l.n.w.rng.IntN(len(l.branches)), body)
}

// grow appends to a later incarnation.
func (l *liar) grow(k journal.ChainKey, e *journal.Entry) {
	if e == nil {
		return
	}
	l.made[e.ID()] = e
	l.later[k] = append(slices.Clone(l.later[k]), e)
	_, _ = l.n.do(coordinator.EntryIn{Entry: e})
	l.tell(e, func(int) bool { return true })
}

// tell sends an entry to some.
func (l *liar) tell(e *journal.Entry, to func(int) bool) {
	if e == nil {
		return
	}
	for _, x := range l.n.w.nodes {
		if x != l.n && to(x.i) {
			l.n.w.send(l.n, x, e)
		}
	}
	l.n.announce()
}

// fork begins a new branch after the first so many entries of another.
func (l *liar) fork(branch, keep int) int {
	l.branches = append(l.branches, slices.Clone(l.branches[branch][:keep]))
	return len(l.branches) - 1
}

// sign signs a transaction, whatever it signed before.
func (l *liar) sign(spend *wallet.Spend) []event.PartialSignature {
	sigs, err := spend.Sign(l.n.account)
	if err != nil {
		return nil
	}
	var out []event.PartialSignature
	for _, s := range sigs {
		out = append(out, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	return out
}

// Where the fields of an entry are on the wire: see journal/entry.go.
const (
	offGroup    = 2
	offAuthor   = 66
	offInc      = 98
	offSeq      = 99
	offPrev     = 107
	offBody     = 163
	signatureAt = 64 // from the end
)

// dress writes another author and place over an entry, and signs it with the
// liar's key.
func (l *liar) dress(e *journal.Entry, author journal.Author, at journal.Next) *journal.Entry {
	raw := slices.Clone(e.Bytes())
	copy(raw[offAuthor:], author[:])
	raw[offInc] = at.Incarnation
	binary.BigEndian.PutUint64(raw[offSeq:], at.Seq)
	copy(raw[offPrev:], at.Prev[:])
	d, err := journal.Decode(raw)
	if err != nil {
		return nil
	}
	seed := l.n.self.Identity.Seed()
	id := d.ID()
	copy(raw[len(raw)-signatureAt:], ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), id[:]))
	d, err = journal.Decode(raw)
	if err != nil {
		return nil
	}
	return d
}

// damage flips one bit of an entry.
func damage(e *journal.Entry, at uint32) *journal.Entry {
	raw := slices.Clone(e.Bytes())
	raw[offBody+int(at)%(len(raw)-offBody)] ^= 1 << (at % 8)
	d, err := journal.Decode(raw)
	if err != nil {
		return nil
	}
	return d
}
