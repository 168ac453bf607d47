package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

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

func (silentChain) Health() port.ChainHealth { return port.ChainHealth{Synced: true} }

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
	p := c.peers[0]
	p.must(coordinator.Born{Height: 1_999_999_875}) // as a server once told
	m := p.stored()
	synctest.Test(t, func(t *testing.T) {
		chain := silentChain{followed: make(chan int32, 10)}
		a := NewActor(t.Context(), Ports{
			Store: &p.Disk, Transport: quietTransport{}, Chain: chain, Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, m)
		defer a.Close()
		if from := <-chain.followed; from != 1_999_999_875 {
			t.Fatalf("follows from %d", from)
		}
		for _, height := range []int32{0, 800} {
			synctest.Wait()
			if _, err := Do(t.Context(), a, coordinator.RescanFrom{Height: height}); err != nil {
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
	var keys []wallet.Key
	for i := range byte(3) {
		keys = append(keys, newPeer(t, "A", i, nil).account.Key())
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 2, keys)
	if err != nil {
		t.Fatal(err)
	}
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
	genesis, err := event.EncodeGenesis(active(t, 3, 3).peers[0].m.State.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	told := func(height int32) port.Grant {
		return port.Grant{Genesis: genesis, Challenge: &event.Challenge{Birthday: height}}
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
}
