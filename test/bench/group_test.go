// Package bench measures whole paths of a node, each with its floor beside it
// in the same run: go test -bench . ./test/bench
package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// cosigner is a bare machine whose batches are kept in a list.
type cosigner struct {
	tb      testing.TB
	name    string
	self    *group.Self
	account *wallet.AccountKey
	m       coordinator.Machine
	batches []port.Batch
	drawn   uint64
}

func newCosigner(tb testing.TB, name string) *cosigner {
	tb.Helper()
	seed := sha256.Sum256([]byte("seed of " + name))
	sealing, err := journal.NewSealingKey(sha256.Sum256([]byte("sealing of " + name)))
	if err != nil {
		tb.Fatal(err)
	}
	account, err := wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return &cosigner{tb: tb, name: name, account: account, self: &group.Self{
		Identity: journal.NewIdentity(sha256.Sum256([]byte("identity of " + name))),
		Sealing:  sealing, Verified: wallet.NewSigCache(1 << 16),
	}}
}

func (c *cosigner) input(msg coordinator.Message) coordinator.Input {
	c.drawn++
	return coordinator.Input{Now: time.Unix(1_780_000_000, 0), Entropy: sha256.Sum256(binary.BigEndian.AppendUint64([]byte(c.name), c.drawn)), Msg: msg}
}

func (c *cosigner) key() coordinator.CosignerKey {
	return coordinator.CosignerKey{Key: c.account.Key(), Prove: func(k event.KeyClaim) ([]byte, error) { return c.account.SignHash(k.Hash()), nil }}
}

// do steps, and returns the reply and the entries that were written.
func (c *cosigner) do(msg coordinator.Message) (any, []*journal.Entry) {
	c.tb.Helper()
	next, effects, err := coordinator.Step(c.m, c.input(msg))
	if err != nil {
		c.tb.Fatalf("%s: %T: %v", c.name, msg, err)
	}
	return c.take(next, effects)
}

func (c *cosigner) take(next coordinator.Machine, effects []coordinator.Effect) (any, []*journal.Entry) {
	c.tb.Helper()
	for _, e := range effects {
		if x, ok := e.(coordinator.Sign); ok {
			x.Signed.Signatures, x.Signed.Err = x.Spend.Sign(c.account)
			return c.do(x.Signed)
		}
	}
	var value any
	var out []*journal.Entry
	for _, e := range effects {
		switch x := e.(type) {
		case coordinator.Persist:
			c.batches = append(c.batches, x.Batch)
			out = append(out, x.Batch.Entries...)
		case coordinator.Reply:
			value = x.Value
		}
	}
	c.m = next
	return value, out
}

// circle is a k-of-n wallet, active, with as many coins as asked for.
func circle(tb testing.TB, k, n, coins int) []*cosigner {
	tb.Helper()
	all := active(tb, k, n)
	fund(tb, all, coins)
	return all
}

// active is a k-of-n wallet that has seen no block yet.
func active(tb testing.TB, k, n int) []*cosigner {
	tb.Helper()
	var all []*cosigner
	for i := range n {
		all = append(all, newCosigner(tb, fmt.Sprintf("cosigner %d", i)))
	}
	a := all[0]
	m, invites, effects, err := coordinator.Found(a.self, a.input(nil), event.Genesis{Threshold: k, Cosigners: n, Script: "wsh", Network: "regtest"},
		"bench", a.name, a.key(), 0, nil, time.Unix(1_790_000_000, 0))
	if err != nil {
		tb.Fatal(err)
	}
	var entries []*journal.Entry
	add := func(_ any, es []*journal.Entry) { entries = append(entries, es...) }
	add(a.take(m, effects))
	for i, c := range all[1:] {
		nonce := [32]byte{byte(i)}
		grant, es := a.do(coordinator.Admit{Joiner: c.self.Identity.Author(), Nonce: nonce, Proof: invites[i].Proof(c.self.Identity.Author(), nonce)})
		entries = append(entries, es...)
		m, effects, err := coordinator.Enter(c.self, c.input(nil), invites[i], grant.(port.Grant), wallet.Regtest, c.name, c.key(), 0)
		if err != nil {
			tb.Fatal(err)
		}
		add(c.take(m, effects))
	}
	for len(entries) > 0 {
		entries = spread(all, entries)
	}
	r, ok := a.m.State.Roster()
	if !ok || !r.Complete() {
		tb.Fatal("no roster")
	}
	for _, c := range all {
		_, es := c.do(coordinator.Ratify{Words: r.Words()})
		entries = append(entries, es...)
	}
	for len(entries) > 0 {
		entries = spread(all, entries)
	}
	return all
}

// spread gives entries to everybody and returns what they wrote in answer.
func spread(all []*cosigner, entries []*journal.Entry) []*journal.Entry {
	var more []*journal.Entry
	for _, e := range entries {
		for _, c := range all {
			if c.m.State.Chains().Has(e.ID()) {
				continue
			}
			next, effects, err := coordinator.Step(c.m, c.input(coordinator.EntryIn{Entry: e}))
			if err != nil {
				more = append(more, e) // its author is not known yet
				continue
			}
			_, es := c.take(next, effects)
			for _, x := range es {
				if x.ID() != e.ID() {
					more = append(more, x)
				}
			}
		}
	}
	return more
}

func fund(tb testing.TB, all []*cosigner, coins int) {
	tb.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH([]byte("coin"))}})
	for i := range coins {
		s, err := all[0].m.State.Active().Descriptor.Script(wallet.BranchExternal, uint32(i%20))
		if err != nil {
			tb.Fatal(err)
		}
		tx.AddTxOut(wire.NewTxOut(1_000_000, s.PkScript))
	}
	hash := chainhash.HashH([]byte("block"))
	for _, c := range all {
		c.do(coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.Connected, Block: port.BlockRef{Height: 1, Hash: hash}, Txs: []*wire.MsgTx{tx}}})
		c.do(coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.CaughtUp}})
	}
}

// history makes entries that look like years of use: a proposal with its
// proposer's signature, then a second signature, on a coin of its own each.
func history(tb testing.TB, all []*cosigner, entries int) []*journal.Entry {
	tb.Helper()
	a, b := all[0], all[1]
	var out []*journal.Entry
	coins := coordinator.Coins(a.m.State, a.m.View, time.Unix(1_780_000_000, 0))
	for i := 0; len(out) < entries; i++ {
		id, es := a.do(coordinator.Propose{
			Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 900_000 - int64(i)}},
			FeeRate: 2000, Coins: []wire.OutPoint{coins[i].OutPoint}, Note: "rent", Allow: []string{refusal.DoublePayment},
		})
		for _, e := range es {
			if _, _, err := stepQuiet(b, e); err != nil {
				tb.Fatal(err)
			}
		}
		_, more := b.do(coordinator.Approve{Proposal: id.(coordinator.Proposed).Proposal, Allow: []string{refusal.DoublePayment}})
		for _, e := range more {
			if _, _, err := stepQuiet(a, e); err != nil {
				tb.Fatal(err)
			}
		}
		out = append(append(out, es...), more...)
	}
	return out
}

func stepQuiet(c *cosigner, e *journal.Entry) (any, []*journal.Entry, error) {
	next, effects, err := coordinator.Step(c.m, c.input(coordinator.EntryIn{Entry: e}))
	if err != nil {
		return nil, nil, err
	}
	v, es := c.take(next, effects)
	return v, es, nil
}

// fill commits everything a cosigner made durable to a store.
func (c *cosigner) fill(s port.Store) {
	c.tb.Helper()
	for _, b := range c.batches {
		if err := s.Commit(context.Background(), b); err != nil {
			c.tb.Fatal(err)
		}
	}
}
