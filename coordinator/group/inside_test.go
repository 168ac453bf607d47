package group

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// insider is one who writes entries of a group under its first epoch.
type insider struct {
	tb      testing.TB
	name    string
	self    *Self
	account *wallet.AccountKey
	salt    [32]byte
	record  journal.EntryID
	next    journal.Next
	drawn   uint64
}

func newInsider(tb testing.TB, name string, n byte) *insider {
	tb.Helper()
	of := func(what byte) [32]byte { return sha256.Sum256([]byte{n, what}) }
	sealing, err := journal.NewSealingKey(of('k'))
	if err != nil {
		tb.Fatal(err)
	}
	seed := of('s')
	account, err := wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return &insider{
		tb: tb, name: name, account: account, salt: of('r'), next: journal.Next{Incarnation: 1, Seq: 1},
		self: &Self{Identity: journal.NewIdentity(of('i')), Sealing: sealing, Verified: wallet.NewSigCache(1 << 10), Fault: func(err error) { panic(err) }},
	}
}

func (p *insider) id() journal.Author { return p.self.Identity.Author() }

func (p *insider) chain() journal.ChainKey { return journal.ChainKey{Author: p.id(), Incarnation: 1} }

// seal makes an entry at a place, and moves the place on.
func (p *insider) seal(ep journal.Epoch, next *journal.Next, body event.Body) *journal.Entry {
	p.tb.Helper()
	plain, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[:], p.drawn)
	e, err := journal.Seal(p.self.Identity, ep, *next, plain, nonce)
	if err != nil {
		p.tb.Fatal(err)
	}
	*next = journal.Next{Incarnation: next.Incarnation, Seq: next.Seq + 1, Prev: e.ID()}
	return e
}

// describes is a record of one's own, with a proof by one's key.
func (p *insider) describes(group journal.GroupID, salt [32]byte) *event.MemberRecord {
	b := &event.MemberRecord{Name: p.name, SealingKey: p.self.Sealing.Public(), Key: p.account.Key().String(), Commitment: Commitment(salt)}
	hash, _ := b.Claim(group, p.id())
	b.Proof = p.account.SignHash(hash)
	return b
}

// inside is a group as its founder's State says it is.
type inside struct {
	tb      testing.TB
	st      State
	zero    journal.Epoch
	genesis []byte
	all     []*insider // the founder first
	entries []*journal.Entry
}

// foundInside is a group of which the founder has said what it is, and nothing else.
func foundInside(tb testing.TB, k, n int) *inside {
	tb.Helper()
	g := &inside{tb: tb}
	for i := range n {
		g.all = append(g.all, newInsider(tb, string(rune('A'+i)), byte(i+1)))
	}
	a := g.all[0]
	raw, err := event.EncodeGenesis(event.Genesis{
		Version: 1, Threshold: k, Cosigners: n, Script: "wsh", Network: "regtest",
		Founder: a.id(), SealingKey: a.self.Sealing.Public(), Random: [32]byte{1},
	})
	if err != nil {
		tb.Fatal(err)
	}
	secret := [32]byte{2}
	if g.st, err = NewState(a.self, raw, secret, [32]byte{}); err != nil {
		tb.Fatal(err)
	}
	g.genesis, g.zero = raw, journal.Epoch{Group: g.st.Group(), Secret: secret}
	g.write(a, &event.GroupCreated{Genesis: raw, Name: "treasury"})
	return g
}

// write has one write an entry, and folds it.
func (g *inside) write(p *insider, body event.Body) *journal.Entry {
	g.tb.Helper()
	e := p.seal(g.zero, &p.next, body)
	g.entries = append(g.entries, e)
	st, _, err := g.st.Add(e, false)
	if err != nil {
		g.tb.Fatal(err)
	}
	g.st = st.Derived()
	return e
}

// describeAll has all be admitted and describe themselves.
func (g *inside) describeAll() {
	g.tb.Helper()
	for i, p := range g.all {
		if i > 0 {
			g.write(g.all[0], &event.MemberAdmitted{Identity: p.id()})
		}
		p.record = g.write(p, p.describes(g.st.Group(), p.salt)).ID()
	}
}

// revealedInside is a group whose roster is closed, and all revealed for it.
func revealedInside(tb testing.TB, k, n int) (*inside, *Roster) {
	tb.Helper()
	g := foundInside(tb, k, n)
	g.describeAll()
	ids, _ := g.st.Places()
	closed := g.write(g.all[0], &event.RosterClosed{Records: ids})
	for _, p := range g.all {
		g.write(p, &event.RosterRevealed{Roster: closed.ID(), Salt: p.salt})
	}
	r, ok := g.st.Roster()
	if !ok || !r.Complete() {
		tb.Fatal("no roster is complete")
	}
	return g, r
}

// activeInside is a group whose roster all ratified.
func activeInside(tb testing.TB, k, n int) *inside {
	tb.Helper()
	g, r := revealedInside(tb, k, n)
	g.st = g.st.Pin(r.Hash)
	for _, p := range g.all {
		g.write(p, &event.RosterRatified{Hash: r.Hash})
	}
	if g.st = g.st.Activated(); g.st.Active() == nil {
		tb.Fatal("the wallet is not active")
	}
	return g
}

// fold folds entries in an order, putting off those that do not link yet.
func (g *inside) fold(tb fatalf, pinned [32]byte, order []*journal.Entry, each func(State)) State {
	st, err := NewState(g.all[0].self, g.genesis, g.zero.Secret, pinned)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	for len(order) > 0 {
		var later []*journal.Entry
		for _, e := range order {
			next, out, err := st.Add(e, true)
			var gap *journal.MissingError
			if errors.As(err, &gap) {
				later = append(later, e)
				continue
			}
			if err != nil {
				tb.Fatalf("entry %s seq %d: %v", e.ID(), e.Position().Seq, err)
			}
			if out != journal.Duplicate {
				st = next.Derived()
				each(st)
			}
		}
		if len(later) == len(order) {
			tb.Fatalf("%d entries never link", len(later))
		}
		order = later
	}
	return st
}

// fatalf is what a test or a property fails with.
type fatalf interface {
	Fatalf(format string, args ...any)
}
