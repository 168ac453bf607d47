package node

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// elsewhere is a signer in another process: when it is asked, the guard must
// be durable already.
type elsewhere struct {
	t     *testing.T
	of    *peer
	store port.Store
	fails bool
	asked int
	// ceiling: its operator lets nothing be signed. guarded: the guard held what was asked about.
	ceiling, guarded bool
}

func (e *elsewhere) Detached() bool { return true }

func (e *elsewhere) MaySign(ctx context.Context, _ wallet.ScriptType, _ uint32, s *wallet.Spend) error {
	known, err := e.store.Guard(ctx)
	if err != nil {
		e.t.Error(err)
	}
	for _, g := range known {
		e.guarded = e.guarded || g.TxID == s.TxID()
	}
	if e.ceiling {
		return port.ErrCeiling
	}
	return nil
}

func (e *elsewhere) AccountKey(context.Context, wallet.ScriptType, uint32) (wallet.Key, error) {
	return e.of.account.Key(), nil
}

func (e *elsewhere) SignClaim(_ context.Context, _ wallet.ScriptType, _ uint32, c event.KeyClaim) ([]byte, error) {
	return e.of.account.SignHash(c.Hash()), nil
}

func (e *elsewhere) SignSpend(ctx context.Context, _ wallet.ScriptType, _ uint32, s *wallet.Spend) ([]wallet.Signature, error) {
	e.asked++
	known, err := e.store.Guard(ctx)
	if err != nil {
		e.t.Error(err)
	}
	for _, in := range s.Inputs() {
		found := false
		for _, g := range known {
			found = found || g.OutPoint == in.OutPoint && g.TxID == s.TxID()
		}
		if !found {
			e.t.Errorf("asked to sign for %v before the guard was durable", in.OutPoint)
		}
	}
	if e.fails {
		return nil, errors.New("the signer is gone")
	}
	return s.Sign(e.of.account)
}

// A signer in another process may have signed whatever it was asked for, also
// if its answer never came: the guard is durable first, and stays.
func TestGuardComesBeforeASignerElsewhere(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	me := c.peers[0]
	synctest.Test(t, func(t *testing.T) {
		signer := &elsewhere{t: t, of: me, store: &me.Disk, fails: true}
		a := NewActor(t.Context(), Ports{
			Store: signer.store, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Signer: signer, Clock: clockOf{me}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		pay := func(n byte, replaces ...journal.EntryID) coordinator.Propose {
			return coordinator.Propose{
				Outputs: []event.ProposalOutput{{PkScript: recipient(n), Amount: 200_000}}, FeeRate: 1000, Coins: coins,
				RequestID: string(rune('0' + n)), Replaces: replaces,
			}
		}
		_, err := Do(t.Context(), a, pay(1))
		if err == nil || signer.asked != 1 || !strings.Contains(err.Error(), "is made") {
			t.Fatalf("without a signer: %v, asked %d times", err, signer.asked)
		}
		all := a.Machine().Proposals()
		if len(all) != 1 || a.Machine().State.Final(all[0]) {
			t.Fatalf("proposals %v", all)
		}
		signer.fails = false
		_, err = Do(t.Context(), a, pay(2))
		var r *refusal.Refusal
		if !errors.As(err, &r) || r.Rule != refusal.SignGuard || signer.asked != 1 || len(a.Machine().Proposals()) != 1 {
			t.Errorf("another transaction on the coin: %v, asked %d times", err, signer.asked)
		}
		again, err := Do(t.Context(), a, pay(1))
		if err != nil || signer.asked != 2 || again.Proposal != all[0].Ref.ID {
			t.Errorf("the same again: %v, %v", again, err)
		}
		if _, err := Do(t.Context(), a, pay(3, all[0].Ref.ID)); err != nil || signer.asked != 3 {
			t.Errorf("one that replaces it: %v", err)
		}
	})
}

// clockOf is a peer's own.
type clockOf struct{ p *peer }

func (c clockOf) Now() time.Time         { return *c.p.clock }
func (c clockOf) Entropy(b []byte) error { return wallClock{}.Entropy(b) }

// muteTransport takes entries and sends them to nobody.
type muteTransport struct{ quietTransport }

func (muteTransport) Publish(context.Context, *journal.Entry) error { return nil }
