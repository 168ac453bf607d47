package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// member is one of the group: a machine without a shell.
type member struct {
	name    string
	self    *group.Self
	account *wallet.AccountKey
	m       coordinator.Machine
	out     []*journal.Entry // written by the machine and not handed on yet
}

// circle is a 2-of-3 wallet. The first of its members is the one that is
// measured, the last one writes what it likes.
type circle struct {
	now     time.Time
	drawn   uint64
	members []*member
	tip     port.BlockRef
	// next is where the hostile member's chain goes on, and last its entry before.
	next journal.Next
	coin wire.OutPoint
	// genesis is that of the group.
	genesis []byte
	// last is the epoch that a kind made last.
	last journal.Epoch
	// n is how many entries there will be, and places where those are that were written.
	n      int
	places []journal.Next
	// written has what machines wrote.
	written []*journal.Entry
}

func (g *circle) honest() *member  { return g.members[0] }
func (g *circle) second() *member  { return g.members[1] }
func (g *circle) hostile() *member { return g.members[2] }

func newMember(n byte) (*member, error) {
	secret := func(what byte) [32]byte { return sha256.Sum256([]byte{what, n}) }
	sealing, err := journal.NewSealingKey(secret('k'))
	if err != nil {
		return nil, fmt.Errorf("make a sealing key: %w", err)
	}
	seed := secret('s')
	account, err := wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return &member{
		name: string(rune('A' + n)), account: account,
		self: &group.Self{Identity: journal.NewIdentity(secret('i')), Sealing: sealing, Verified: wallet.NewSigCache(1 << 16)},
	}, nil
}

func (m *member) id() journal.Author { return m.self.Identity.Author() }

func (m *member) key() coordinator.CosignerKey {
	return coordinator.CosignerKey{Key: m.account.Key(), Prove: func(k event.KeyClaim) ([]byte, error) { return m.account.SignHash(k.Hash()), nil }}
}

func (g *circle) input(msg coordinator.Message) coordinator.Input {
	g.drawn++
	return coordinator.Input{Now: g.now, Entropy: sha256.Sum256(binary.BigEndian.AppendUint64(nil, g.drawn)), Msg: msg}
}

// step lets a member take a message, and keeps what its machine writes.
func (g *circle) step(m *member, msg coordinator.Message) (any, error) {
	next, effects, err := coordinator.Step(m.m, g.input(msg))
	if err != nil {
		return nil, err
	}
	var value any
	for _, e := range effects {
		switch x := e.(type) {
		case coordinator.Sign:
			x.Signed.Signatures, x.Signed.Err = x.Spend.Sign(m.account)
			return g.step(m, x.Signed)
		case coordinator.Publish:
			m.out, g.written = append(m.out, x.Entry), append(g.written, x.Entry)
		case coordinator.Reply:
			value = x.Value
		}
	}
	m.m = next
	return value, nil
}

// spread hands everything that was written to everybody, until nothing new comes.
func (g *circle) spread() error {
	for {
		quiet := true
		for _, from := range g.members {
			out := from.out
			from.out = nil
			for _, e := range out {
				quiet = false
				for _, to := range g.members {
					if to == from || to.m.State.Group() == (journal.GroupID{}) {
						continue
					}
					if _, err := g.step(to, coordinator.EntryIn{Entry: e}); err != nil {
						return fmt.Errorf("hand an entry of %s to %s: %w", from.name, to.name, err)
					}
				}
			}
		}
		if quiet {
			return nil
		}
	}
}

// newGroup founds a wallet: an active one with some coins, or one that nobody
// ratified yet. The hostile member is its founder, or joined.
func newGroup(forming, hostileFounder bool) (*circle, error) {
	g := &circle{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range byte(3) {
		m, err := newMember(i)
		if err != nil {
			return nil, err
		}
		g.members = append(g.members, m)
	}
	if err := g.found(); err != nil {
		return nil, err
	}
	if !forming {
		if err := g.ratify(); err != nil {
			return nil, err
		}
		if err := g.fund(); err != nil {
			return nil, err
		}
	}
	if hostileFounder {
		slices.Reverse(g.members)
	}
	at := g.hostile().m.State.Chains().Frontier()[journal.ChainKey{Author: g.hostile().id(), Incarnation: 1}]
	g.next = journal.Next{Incarnation: 1, Seq: at.Seq + 1, Prev: at.ID}
	return g, nil
}

// found brings the group to where everybody has revealed.
func (g *circle) found() error {
	f := g.honest()
	x := event.Genesis{Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest"}
	m, invites, effects, err := coordinator.Found(f.self, g.input(nil), x, "treasury", f.name, f.key(), 0, nil, g.now.Add(time.Hour))
	if err != nil {
		return fmt.Errorf("found: %w", err)
	}
	f.m = m
	history := published(effects)
	g.written = append(g.written, history...)
	for i, j := range g.members[1:] {
		nonce := g.input(nil).Entropy
		v, err := g.step(f, coordinator.Admit{Joiner: j.id(), Nonce: nonce, Proof: invites[i].Proof(j.id(), nonce)})
		if err != nil {
			return fmt.Errorf("admit: %w", err)
		}
		grant, ok := v.(port.Grant)
		g.genesis = grant.Genesis
		if !ok {
			return errors.New("admit: no grant came back")
		}
		if j.m, effects, err = coordinator.Enter(j.self, g.input(nil), invites[i], grant, wallet.Regtest, j.name, j.key(), 0); err != nil {
			return fmt.Errorf("enter: %w", err)
		}
		j.out = published(effects)
		g.written = append(g.written, j.out...)
	}
	history = append(history, f.out...)
	f.out = nil
	for _, e := range history {
		for _, j := range g.members[1:] {
			if _, err := g.step(j, coordinator.EntryIn{Entry: e}); err != nil {
				return fmt.Errorf("hand over the founder's entries: %w", err)
			}
		}
	}
	return g.spread()
}

// ratify lets everybody ratify.
func (g *circle) ratify() error {
	for _, m := range g.members {
		r, ok := m.m.State.Roster()
		if !ok {
			return fmt.Errorf("%s has no roster: %s", m.name, m.m.Missing())
		}
		if _, err := g.step(m, coordinator.Ratify{Words: r.Words()}); err != nil {
			return fmt.Errorf("ratify: %w", err)
		}
	}
	if err := g.spread(); err != nil {
		return err
	}
	for _, m := range g.members {
		if m.m.State.Active() == nil {
			return fmt.Errorf("%s is not active: %s", m.name, m.m.Missing())
		}
	}
	return nil
}

func published(effects []coordinator.Effect) []*journal.Entry {
	var out []*journal.Entry
	for _, e := range effects {
		if p, ok := e.(coordinator.Publish); ok {
			out = append(out, p.Entry)
		}
	}
	return out
}

// fund pays the first addresses, in the first blocks.
func (g *circle) fund() error {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{1}}, nil, nil))
	for i := range uint32(4) {
		s, err := g.honest().m.State.Active().Descriptor.Script(wallet.BranchExternal, i)
		if err != nil {
			return fmt.Errorf("derive an address: %w", err)
		}
		tx.AddTxOut(wire.NewTxOut(1_000_000, s.PkScript))
	}
	g.coin = wire.OutPoint{Hash: tx.TxHash()}
	if err := g.block(tx); err != nil {
		return err
	}
	for range 3 {
		if err := g.block(); err != nil {
			return err
		}
	}
	for _, m := range g.members {
		if _, err := g.step(m, coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.CaughtUp, Watches: 1 << 32}}); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
	return nil
}

// connected is the notice of one more block.
func (g *circle) connected(txs ...*wire.MsgTx) coordinator.ChainIn {
	prev := g.tip
	b := port.BlockRef{Height: prev.Height + 1, Hash: chainhash.Hash(sha256.Sum256(prev.Hash[:])), MedianTime: g.now.Unix()}
	g.tip = b
	return coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.Connected, Block: b, Prev: prev.Hash, Txs: txs}}
}

func (g *circle) block(txs ...*wire.MsgTx) error {
	n := g.connected(txs...)
	for _, m := range g.members {
		if _, err := g.step(m, n); err != nil {
			return fmt.Errorf("connect a block: %w", err)
		}
	}
	return nil
}

func (g *circle) nonce() [24]byte {
	e := g.input(nil).Entropy
	return [24]byte(e[:24])
}
