package coordinator

import (
	"errors"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// wedged is a peer whose wallet begins at a height that a server once told.
func wedged(c *circle, height int32) *peer {
	p := c.peers[0]
	p.must(Born{height})
	return p
}

// TestRescanLowersAWrongBirthday: a height that was believed once is set right by
// the owner, durably, and the wallet sees what it could not.
func TestRescanLowersAWrongBirthday(t *testing.T) {
	c := active(t, 2, 3)
	p := wedged(c, 1_999_999_875)
	deposit := c.pays(0, 1, 500_000)
	c.mine([]*wire.MsgTx{deposit}, c.peers[1:]...)
	if _, err := p.do(ChainIn{c.blocks[0]}); err == nil {
		t.Fatal("a block below the birthday is connected")
	}
	p.must(RescanFrom{0})
	m, err := Load(t.Context(), &p.Disk, p.self, p.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	if p.m = m; p.m.View.Birthday() != 0 {
		t.Fatalf("after a crash it begins at %d", p.m.View.Birthday())
	}
	p.must(Started{})
	p.must(ChainIn{c.blocks[0]})
	p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	if got := p.balance(); got.Confirmed != 500_000 || !p.m.View.Synced() {
		t.Errorf("%+v", got)
	}
}

// TestRescanLooksAgain: what was confirmed is in doubt until the scan is done, and
// nothing is signed; a stream of before says nothing more.
func TestRescanLooksAgain(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 20_000)
	c.mine(nil)
	p := c.peers[0]
	want := p.balance()
	if want.Confirmed != 520_000 {
		t.Fatalf("before: %+v", want)
	}
	p.refused(refusal.BadHeight, RescanFrom{-1})
	p.refused(refusal.BadHeight, RescanFrom{event.MaxBirthday + 1})
	p.refused(refusal.BadHeight, RescanFrom{2}) // a coin is in block 1
	if got := p.balance(); got != want {
		t.Fatalf("after refusals: %+v", got)
	}
	p.must(RescanFrom{1})
	if p.m.View.Synced() || p.balance().Confirmed != 0 || p.balance().Spendable != 0 {
		t.Errorf("synced %v with nothing scanned, %+v", p.m.View.Synced(), p.balance())
	}
	p.refused(refusal.ChainBehind, pay(1, 1000))
	tip := c.blocks[len(c.blocks)-1].Block
	for _, n := range []port.ChainNotice{{Kind: port.CaughtUp, Block: tip}, c.blocks[1]} {
		if _, err := p.do(Streamed{n, 0}); !errors.Is(err, ErrOldStream) {
			t.Errorf("a notice of the stream before: %v", err)
		}
	}
	// It dies before anything came, and begins where it was told to.
	m, err := Load(t.Context(), &p.Disk, p.self, p.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	if f := m.View.Follow(); len(f.Known) != 0 || f.From != 0 || m.View.Synced() {
		t.Errorf("after a crash it follows from %d with %d blocks", f.From, len(f.Known))
	}
	for _, n := range c.blocks {
		p.must(Streamed{n, p.m.stream})
	}
	p.must(Streamed{port.ChainNotice{Kind: port.CaughtUp, Block: tip}, p.m.stream})
	if got := p.balance(); got != want || !p.m.View.Synced() {
		t.Errorf("after the scan: %+v, want %+v", got, want)
	}
}

// TestNoDateUndoesARescan: what the owner said is not raised by the date at which
// the wallet was made.
func TestNoDateUndoesARescan(t *testing.T) {
	c := active(t, 2, 3)
	p := c.peers[0]
	p.must(Born{700_000})
	if p.m.View.Birthday() != 700_000 {
		t.Fatalf("begins at %d", p.m.View.Birthday())
	}
	p.must(RescanFrom{5_000})
	p.must(Born{700_000})
	if p.m.View.Birthday() != 4_999 {
		t.Errorf("begins at %d", p.m.View.Birthday())
	}
}

// TestBirthdayOfANewDevice: a height that is no block's is refused, and the wallet is
// of when the first of all entered.
func TestBirthdayOfANewDevice(t *testing.T) {
	c := active(t, 3, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	d := z.device(9)
	inv, err := b.invite(z)
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.present(d, inv, nil)
	if err != nil {
		t.Fatal(err)
	}
	ck := d.key()
	claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, ck.Prove)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = b.present(d, inv, claim); err != nil {
		t.Fatal(err)
	}
	told := func(height int32) port.Grant {
		lie := *g.Challenge
		lie.Birthday = height
		out := g
		out.Challenge = &lie
		return out
	}
	for _, height := range []int32{-1, event.MaxBirthday + 1, 1<<31 - 1} {
		if _, _, err := EnterSuccession(d.self, d.input(nil), inv, told(height), wallet.Regtest, ck); err == nil {
			t.Errorf("height %d is taken", height)
		}
	}
	// The date is that at which the first of all entered, and not its own.
	entered := time.Unix(d.clock.Unix(), 0)
	*d.clock = d.clock.Add(400 * 24 * time.Hour)
	m, effects, err := EnterSuccession(d.self, d.input(nil), inv, told(0), wallet.Regtest, ck)
	if err != nil {
		t.Fatal(err)
	}
	*d.clock = entered
	if _, err := d.execute(m, effects); err != nil {
		t.Fatal(err)
	}
	if m, err = Load(t.Context(), &d.Disk, d.self, d.m.State.Group()); err != nil {
		t.Fatal(err)
	}
	d.m = m
	d.must(Started{})
	d.hear(a, b)
	if at := d.m.began(); at.After(entered) {
		t.Errorf("the group is of %v, the new device takes it for one of %v", entered, at)
	}
	if at := a.m.began(); at.Unix() != a.m.local.Created {
		t.Errorf("a founder's wallet is of %v", at)
	}
}
