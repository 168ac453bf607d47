package neutrino_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/chaintest/corepeer"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

// versions are how Bitcoin Core treats transactions, by version.
var versions = map[string]corepeer.Rules{
	"31.99": {},
	"30":    {Lively: true, Agent: "/Satoshi:30.0.0/"},
}

// within is how long it may take until a node knows of a transaction in the mempool of
// one of its peers.
const within = 15 * time.Second

// paid makes a payment of a fresh key, at satoshis per vbyte.
func paid(t *testing.T, node *btcd.Node, rate int64) *wire.MsgTx {
	t.Helper()
	key, err := regtest.NewKey(t.Name() + time.Now().String())
	if err != nil {
		t.Fatal(err)
	}
	fund, err := node.Fund(key.PkScript(), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Mine(1); err != nil {
		t.Fatal(err)
	}
	return pays(t, key, fund, 500_000, rate)
}

// pays spends the output of a transaction that pays a key.
func pays(t *testing.T, key *regtest.Key, from *wire.MsgTx, amount, rate int64) *wire.MsgTx {
	t.Helper()
	for i, o := range from.TxOut {
		if string(o.PkScript) != string(key.PkScript()) {
			continue
		}
		tx, err := key.Pay([]regtest.Coin{{OutPoint: wire.OutPoint{Hash: from.TxHash(), Index: uint32(i)}, Amount: o.Value}},
			[]*wire.TxOut{wire.NewTxOut(amount, key.PkScript())}, rate)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	t.Fatal("nothing pays the key")
	return nil
}

func broadcast(t *testing.T, ctx context.Context, b port.Chain, tx *wire.MsgTx) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := b.Broadcast(ctx, tx)
	return err
}

// On a network where nothing else happens, a node learns that a peer took a transaction:
// its own, one that another handed over before, and after a restart.
func TestCorePeerTakes(t *testing.T) {
	for name, rules := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := btcd.Start(t)
			peer := corepeer.Start(t, node, "127.0.0.1:0", rules)
			dir := filepath.Join(t.TempDir(), "n")
			b := open(t, dir, peer.Addr)
			synced(t, b, 120)
			own, others := paid(t, node, 5), paid(t, node, 5)
			// The times of the protocol bound how long one visit takes: one is enough.
			once := func(when string, tx *wire.MsgTx) {
				t.Helper()
				if n := peer.Visits(tx.TxHash()); n != 1 {
					t.Errorf("%s: it took %d visits", when, n)
				}
			}
			if err := broadcast(t, t.Context(), b, own); err != nil {
				t.Errorf("its own: %v", err)
			}
			once("its own", own)
			if err := peer.Submit(others); err != nil {
				t.Fatal(err)
			}
			if err := broadcast(t, t.Context(), b, others); err != nil {
				t.Errorf("what another handed over: %v", err)
			}
			once("what another handed over", others)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = open(t, dir, peer.Addr)
			synced(t, b, 120)
			if err := broadcast(t, t.Context(), b, own); err != nil {
				t.Errorf("its own, after a restart: %v", err)
			}
			once("after a restart", own)
			if !peer.Has(own.TxHash()) || !peer.Has(others.TxHash()) {
				t.Error("they are not in the mempool, and this shows nothing")
			}
			if _, err := node.Mine(1); err != nil {
				t.Fatal(err)
			}
			if err := broadcast(t, t.Context(), b, own); err != nil {
				t.Errorf("its own, mined: %v", err)
			}
		})
	}
}

// What a peer does not take is never said to be taken, however often it is handed over
// and by whomever.
func TestCorePeerRefuses(t *testing.T) {
	for name, rules := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := btcd.Start(t)
			peer := corepeer.Start(t, node, "127.0.0.1:0", rules)
			b := open(t, filepath.Join(t.TempDir(), "n"), peer.Addr)
			synced(t, b, 120)
			cheap, spent := paid(t, node, 0), paid(t, node, 5)
			rival := spent.Copy()
			rival.TxOut[0].Value--
			if err := peer.Submit(spent); err != nil {
				t.Fatal(err)
			}
			if peer.Submit(cheap) == nil {
				t.Fatal("a transaction without a fee was taken: this shows nothing")
			}
			for _, when := range []string{"first", "again"} {
				for what, tx := range map[string]*wire.MsgTx{"no fee": cheap, "a rival, badly signed": rival} {
					if err := broadcast(t, t.Context(), b, tx); !errors.Is(err, port.ErrTxRejected) {
						t.Errorf("%s, %s: %v", what, when, err)
					}
				}
			}
			orphan := cheap.Copy()
			orphan.TxIn[0].PreviousOutPoint.Hash[0] ^= 1
			if err := broadcast(t, t.Context(), b, orphan); !errors.Is(err, port.ErrTxRejected) && !errors.Is(err, port.ErrNotSeen) {
				t.Errorf("without its parent: %v", err)
			}
		})
	}
}

// Why nothing is known of a transaction is said: peers that take none cannot have it.
func TestCorePeerThatTakesNone(t *testing.T) {
	for want, rules := range map[string]corepeer.Rules{
		"blocksonly":           {BlocksOnly: true},
		"it fetches the chain": {Syncing: true},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			node := btcd.Start(t)
			peer := corepeer.Start(t, node, "127.0.0.1:0", rules)
			b := open(t, filepath.Join(t.TempDir(), "n"), peer.Addr)
			synced(t, b, 120)
			tx := paid(t, node, 5)
			err := broadcast(t, t.Context(), b, tx)
			if err == nil || errors.Is(err, port.ErrTxRejected) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
			if peer.Has(tx.TxHash()) {
				t.Error("it has it, and this shows nothing")
			}
			if p := b.Health().Policy; p != (port.Policy{}) {
				t.Errorf("it asks for %+v", p)
			}
		})
	}
}

// Where several peers are connected, how sure it is that the network has a transaction
// is told: one that a peer has which was not given it, or only those that were.
func TestReach(t *testing.T) {
	node := btcd.Start(t)
	one := corepeer.Start(t, node, "127.0.0.2:0", corepeer.Rules{})
	two := corepeer.Start(t, node, "127.0.0.3:0", corepeer.Rules{})
	b := open(t, filepath.Join(t.TempDir(), "n"), one.Addr, two.Addr)
	synced(t, b, 120)
	health(t, b, "both", func(h port.ChainHealth) bool { return h.Peers == 2 })
	health(t, b, "what they take", func(h port.ChainHealth) bool {
		return h.Policy == port.Policy{MinFeeRate: 100, Incremental: 100}
	})
	tx := paid(t, node, 5)
	// Nothing brings it from one to the other.
	if reach, err := b.Broadcast(t.Context(), tx); err != nil || reach != port.ReachHeld {
		t.Errorf("only one has it: %q, %v", reach, err)
	}
	if one.Has(tx.TxHash()) == two.Has(tx.TxHash()) {
		t.Error("it was to be given to one of them")
	}
	for _, p := range []*corepeer.Peer{one, two} {
		if err := p.Submit(tx); err != nil {
			t.Fatal(err)
		}
	}
	if reach, err := b.Broadcast(t.Context(), tx); err != nil || reach != port.ReachShown {
		t.Errorf("both have it: %q, %v", reach, err)
	}
}
