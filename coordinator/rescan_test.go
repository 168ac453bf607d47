package coordinator

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
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
	m, err := Load(t.Context(), storeOf(p), p.self, p.m.State.Group())
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
		if _, err := p.do(streamed{n, 0}); !errors.Is(err, errOldStream) {
			t.Errorf("a notice of the stream before: %v", err)
		}
	}
	// It dies before anything came, and begins where it was told to.
	m, err := Load(t.Context(), storeOf(p), p.self, p.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	if f := m.View.Follow(); len(f.Known) != 0 || f.From != 0 || m.View.Synced() {
		t.Errorf("after a crash it follows from %d with %d blocks", f.From, len(f.Known))
	}
	for _, n := range c.blocks {
		p.must(streamed{n, p.m.stream})
	}
	p.must(streamed{port.ChainNotice{Kind: port.CaughtUp, Block: tip}, p.m.stream})
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

// silentFollower tells nothing until it is closed.
type silentFollower struct {
	port.Follower
	notices chan port.ChainNotice
	once    sync.Once
}

func (f *silentFollower) Expect([]chainhash.Hash)          {}
func (f *silentFollower) Notices() <-chan port.ChainNotice { return f.notices }
func (f *silentFollower) Close() error {
	f.once.Do(func() { close(f.notices) })
	return nil
}

// silentChain is one whose streams begin above it.
type silentChain struct {
	port.Chain
	followed chan int32
}

func (s silentChain) Follow(ctx context.Context, _ []port.BlockRef, from int32, _ [][]byte) (port.Follower, error) {
	s.followed <- from
	f := &silentFollower{notices: make(chan port.ChainNotice)}
	context.AfterFunc(ctx, func() { _ = f.Close() })
	return f, nil
}

// TestRescanOfARunningWallet: a stream that would never say anything ends, and the
// next one begins where the owner said.
func TestRescanOfARunningWallet(t *testing.T) {
	c := active(t, 2, 3)
	p := wedged(c, 1_999_999_875)
	m := p.m
	m.follows = false
	synctest.Test(t, func(t *testing.T) {
		chain := silentChain{followed: make(chan int32, 10)}
		a := NewActor(t.Context(), Ports{
			Store: storeOf(p), Transport: quietTransport{}, Chain: chain, Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, m)
		defer a.Close()
		if from := <-chain.followed; from != 1_999_999_875 {
			t.Fatalf("follows from %d", from)
		}
		for _, height := range []int32{0, 800} {
			synctest.Wait()
			if _, err := Do(t.Context(), a, RescanFrom{height}); err != nil {
				t.Fatal(err)
			}
			if from := <-chain.followed; from != max(0, height-1) {
				t.Errorf("after a rescan from %d it follows from %d", height, from)
			}
		}
	})
}

// toldChain is a chain that says where its tip is.
type toldChain struct {
	port.Chain
	tip    int32
	err    error
	synced bool
}

func (c toldChain) Tip(context.Context) (port.BlockRef, error) {
	return port.BlockRef{Height: c.tip}, c.err
}
func (c toldChain) Health() port.ChainHealth { return port.ChainHealth{Synced: c.synced} }

type datedTold struct{ toldChain }

func (datedTold) HeightAt(context.Context, time.Time) (int32, error) { return 0, port.ErrNotSynced }

type clockAt struct{ at time.Time }

func (c clockAt) Now() time.Time     { return c.at }
func (clockAt) Entropy([]byte) error { return nil }

// TestBirthdayOfANewWallet: a tip that cannot be yet, or is not known, is none.
func TestBirthdayOfANewWallet(t *testing.T) {
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		network wallet.Network
		tip     toldChain
		at      time.Time
		want    int32
	}{
		{wallet.Mainnet, toldChain{tip: 976_000}, at, 976_000 - 144},
		{wallet.Mainnet, toldChain{tip: 100}, at, 0},
		{wallet.Mainnet, toldChain{tip: 1_200_000}, at, 0},
		{wallet.Mainnet, toldChain{tip: 1<<31 - 1}, at, 0},
		{wallet.Mainnet, toldChain{tip: 976_000, err: errors.New("away")}, at, 0},
		{wallet.Mainnet, toldChain{tip: 976_000}, time.Unix(0, 0), 0}, // a clock without a battery
		{wallet.Testnet4, toldChain{tip: 160_000}, at, 160_000 - 144},
		{wallet.Testnet4, toldChain{tip: 2_000_000_000}, at, 0},
		{wallet.Signet, toldChain{tip: 330_000}, at, 330_000 - 144},
		{wallet.Signet, toldChain{tip: 1_000_000}, at, 0},
		{wallet.Regtest, toldChain{tip: 5_000}, at, 5_000 - 144},
		{wallet.Regtest, toldChain{tip: 2_000_000_000}, at, 0},
	} {
		n := &Node{network: c.network, ports: Ports{Chain: c.tip, Clock: clockAt{c.at}}}
		if got := n.birthdayOf(t.Context(), event.Genesis{}); got != c.want {
			t.Errorf("%s, tip %d at %v: born at %d, want %d", c.network, c.tip.tip, c.at, got, c.want)
		}
	}
}

// TestBirthdayThatWasAgreedOn: the founder's height of an existing wallet is taken
// unless this node's own chain has no such block.
func TestBirthdayThatWasAgreedOn(t *testing.T) {
	_, d := existingGroup(t, 0)
	for _, c := range []struct {
		told  int32
		chain toldChain
		want  int32
	}{
		{500, toldChain{tip: 1000, synced: true}, 500},
		{1001, toldChain{tip: 1000, synced: true}, 0},
		{1001, toldChain{tip: 1000}, 1001}, // still syncing: it may be there
		{1001, toldChain{err: errors.New("away")}, 1001},
		{event.MaxBirthday + 1, toldChain{err: errors.New("away")}, 0},
	} {
		n := &Node{network: wallet.Regtest, ports: Ports{Chain: c.chain, Clock: clockAt{}}}
		if got := n.birthdayOf(t.Context(), event.Genesis{Descriptor: d.String(), Birthday: c.told}); got != c.want {
			t.Errorf("told %d with %+v: %d, want %d", c.told, c.chain, got, c.want)
		}
	}
	g := event.Genesis{Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest", Descriptor: d.String(), Birthday: event.MaxBirthday + 1}
	if err := g.Check(); err == nil {
		t.Error("a founder's height that is no block's is taken")
	}
}

// TestBirthdayOfANewDevice: who lets a new device in says from which block on to
// look, and is believed as far as the device's own chain bears it out.
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
		if _, _, err := EnterReplacement(d.self, d.input(nil), inv, told(height), wallet.Regtest, ck); err == nil {
			t.Errorf("height %d is taken", height)
		}
	}
	for _, c := range []struct {
		told  int32
		chain port.Chain
		want  int32
	}{
		{500, toldChain{tip: 1000, synced: true}, 500},
		{1001, toldChain{tip: 1000, synced: true}, 0},
		{1001, toldChain{tip: 1000}, 0},
		{500, toldChain{err: errors.New("away")}, 0},
		{1<<31 - 1, toldChain{tip: 1000, synced: true}, 0},
		{500, datedTold{toldChain{tip: 1000, synced: true}}, 0}, // the date tells
	} {
		n := &Node{network: wallet.Regtest, ports: Ports{Chain: c.chain, Clock: clockAt{}}}
		if got := n.own(t.Context(), told(c.told)).Challenge.Birthday; got != c.want {
			t.Errorf("told %d with %+v: %d, want %d", c.told, c.chain, got, c.want)
		}
	}
	// The date is that at which the first of all entered, and not its own.
	entered := time.Unix(d.clock.Unix(), 0)
	*d.clock = d.clock.Add(400 * 24 * time.Hour)
	m, effects, err := EnterReplacement(d.self, d.input(nil), inv, told(0), wallet.Regtest, ck)
	if err != nil {
		t.Fatal(err)
	}
	*d.clock = entered
	if _, err := d.execute(m, effects); err != nil {
		t.Fatal(err)
	}
	if m, err = Load(t.Context(), storeOf(d), d.self, d.m.State.Group()); err != nil {
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
