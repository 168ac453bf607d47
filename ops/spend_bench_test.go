package ops

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/apptest"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
	"github.com/quorate/quorate/wallet"
)

// BenchmarkProposeToFinal measures, for a 3-of-5 of whole nodes on loopback,
// from the call of propose until the last node holds the final transaction;
// two cosigners approve as soon as they see the proposal. The floor is one
// gossip hop, one synced write, and one signature made and checked, each
// measured alone. cpu-ms/node is the processor time of a spend until all have seen
// it confirmed, for each node: the Bitcoin network in the same process included.
func BenchmarkProposeToFinal(b *testing.B) {
	d := &demo{opts: DemoOptions{Cosigners: 5, Threshold: 3, Spends: 10, Out: io.Discard, Log: slog.New(slog.DiscardHandler)}}
	ctx := b.Context()
	b.Cleanup(func() { _ = d.close() })
	if err := d.start(ctx); err != nil {
		b.Fatal(err)
	}
	w, err := d.ceremony(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := d.fund(ctx, w.Wallet); err != nil {
		b.Fatal(err)
	}
	round := 0
	b.Run("3-of-5", func(b *testing.B) {
		began := apptest.CPUTime(b)
		for range b.N {
			round++
			to, err := demoRecipient(round)
			if err != nil {
				b.Fatal(err)
			}
			p, err := d.nodes[0].Propose(ctx, w.Wallet, api.Propose{To: []api.Recipient{{Address: to, Amount: 1_000_000 + int64(round)}}, FeeRate: 2})
			if err != nil {
				b.Fatal(err)
			}
			d.race(ctx, b, p.Proposal)
			b.StopTimer()
			d.bury(ctx, b, p.Proposal)
			b.StartTimer()
		}
		b.ReportMetric(float64((apptest.CPUTime(b)-began).Microseconds())/1000/float64(b.N*len(d.nodes)), "cpu-ms/node")
	})
	b.Run("floor-hop", func(b *testing.B) { benchHop(b) })
	b.Run("floor-write", func(b *testing.B) { benchWrite(b, d.dir) })
	b.Run("floor-curve", func(b *testing.B) { benchCurve(b) })
}

// race lets two cosigners approve and waits for all five.
func (d *demo) race(ctx context.Context, b *testing.B, id string) {
	var wg sync.WaitGroup
	for i, n := range d.nodes {
		wg.Go(func() {
			if i == 1 || i == 2 {
				if err := d.untilOn(ctx, n, "the proposal", func(n *app.Node) (bool, error) {
					_, err := n.Proposal(ctx, id)
					return err == nil, nil
				}); err != nil {
					b.Error(err)
				}
				if _, err := n.Approve(ctx, id, api.Approve{}); err != nil {
					b.Error(err)
				}
			}
			if err := d.untilOn(ctx, n, "the final transaction", func(n *app.Node) (bool, error) {
				_, err := n.Tx(ctx, id)
				return err == nil, notFinal(err)
			}); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

func (d *demo) bury(ctx context.Context, b *testing.B, id string) {
	if err := d.until(ctx, "broadcast", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, id)
		return x.Status == api.StatusBroadcast, err
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := d.chain.Mine(1, d.chain.FaucetScript()); err != nil {
		b.Fatal(err)
	}
	if err := d.until(ctx, "confirmation", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, id)
		return x.Status == api.StatusConfirmed, err
	}); err != nil {
		b.Fatal(err)
	}
}

// benchHop passes entries between two bare hosts.
func benchHop(b *testing.B) {
	// Many members write in turns: one alone writes, after some entries in a row, no
	// more than its rate, and what gossip drops then comes by sync.
	var ids []*journal.Identity
	var members []journal.Author
	for n := range 64 {
		ids = append(ids, journal.NewIdentity([32]byte{byte(n + 1)}))
		members = append(members, ids[n].Author())
	}
	ep := journal.Epoch{Group: journal.GroupID{7}, Secret: [32]byte{8}}
	var nodes []*p2p.Node
	held := p2ptest.NewInbox() // of who publishes: what gossip drops comes by sync
	got := make(chan journal.EntryID, 256)
	for i, id := range ids[:2] {
		n, err := p2p.New(b.Context(), p2p.Config{Identity: id, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = n.Close() })
		nodes = append(nodes, n)
		in := held
		if i == 1 {
			in = p2ptest.NewInbox()
			in.SetHook(func(_ journal.Author, e *journal.Entry) { got <- e.ID() })
		}
		link := port.GroupLink{Group: ep.Group, Topics: []string{ep.Topic()}, Members: members}
		if i == 1 {
			link.Hints = map[journal.Author][]string{ids[0].Author(): nodes[0].ListenAddrs()}
		}
		if err := n.Attach(b.Context(), link, in); err != nil {
			b.Fatal(err)
		}
	}
	next := make([]journal.Next, len(ids))
	for n := range next {
		next[n] = journal.Next{Incarnation: 1, Seq: 1}
	}
	hop := func(n int) {
		at := &next[n%len(ids)]
		e, err := journal.Seal(ids[n%len(ids)], ep, *at, make([]byte, 400), [24]byte{byte(n), byte(n >> 8), byte(n >> 16)})
		if err != nil {
			b.Fatal(err)
		}
		*at = journal.Next{Incarnation: 1, Seq: at.Seq + 1, Prev: e.ID()}
		if err := held.Put(e); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := nodes[0].Publish(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		late := time.After(90 * time.Second)
		for id := (journal.EntryID{}); id != e.ID(); {
			select {
			case id = <-got:
			case <-late:
				b.Fatal("nothing arrived")
			}
		}
		b.StopTimer()
	}
	// A connection is no gossip yet: what is published before that comes by sync.
	const before = 16
	for n := range before {
		hop(n)
	}
	b.ResetTimer()
	b.StopTimer()
	for n := range b.N {
		hop(before + n)
	}
}

func benchWrite(b *testing.B, dir string) {
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	payload := make([]byte, 2048)
	for b.Loop() {
		if _, err := f.Write(payload); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchCurve signs and checks one entry and one input.
func benchCurve(b *testing.B) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	a, err := wallet.DeriveAccount(make([]byte, 32), wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		b.Fatal(err)
	}
	h := [32]byte{1}
	for b.Loop() {
		if !ed25519.Verify(pub, h[:], ed25519.Sign(key, h[:])) {
			b.Fatal("entry signature")
		}
		if err := a.Key().VerifyHash(h, a.SignHash(h)); err != nil {
			b.Fatal(err)
		}
	}
}
