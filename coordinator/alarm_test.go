package coordinator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// thief spends coins of the wallet as nobody proposed.
func thief(coins ...wire.OutPoint) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	for _, o := range coins {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: o})
	}
	tx.AddTxOut(wire.NewTxOut(123_456, recipient(66)))
	return tx
}

func (p *peer) ticks(n int) {
	p.tb.Helper()
	for range n {
		p.must(Tick{})
	}
}

func (p *peer) sees(tx *wire.MsgTx) {
	p.tb.Helper()
	p.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
}

// expect checks how often a peer was told of a foreign spend, and what it shows.
func (p *peer) expect(when string, told, standing int) {
	p.tb.Helper()
	if got := p.alarms(AlarmForeignSpend); len(got) != told {
		p.tb.Errorf("%s, %s: told %d times, not %d", p.name, when, len(got), told)
	}
	if got := p.standing(AlarmForeignSpend); len(got) != standing {
		p.tb.Errorf("%s, %s: %d alarms stand, not %d", p.name, when, len(got), standing)
	}
}

// A spend that nobody proposed is an alarm on every node: told once, shown for
// as long as it is so, whatever restarts and reorgs come.
func TestASpendNobodyProposedIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 500_000)
	tx := thief(coins...)
	for _, p := range c.peers {
		_, effects, err := Step(p.m, p.input(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}}))
		if err != nil || !slices.Contains(effects, Effect(AskSync{})) {
			t.Errorf("the others are not asked for its proposal: %v, %v", effects, err)
		}
		p.sees(tx)
		p.ticks(foreignGrace - 1)
		p.expect("within the grace", 0, 0)
		p.ticks(1)
		p.expect("after the grace", 1, 1)
		n := p.alarms(AlarmForeignSpend)[0]
		if n.TxID != tx.TxHash() || !strings.Contains(n.Detail, tx.TxHash().String()) {
			t.Errorf("told %+v", n)
		}
		if got := p.standing(AlarmForeignSpend)[0]; got.Since.Unix() != c.clock.Unix() || got.TxID != tx.TxHash() {
			t.Errorf("shown %+v", got)
		}
	}
	c.mine([]*wire.MsgTx{tx})
	a := c.peers[0]
	a.ticks(2 * foreignGrace)
	a.expect("mined", 1, 1)

	a.crash()
	a.ticks(2 * foreignGrace)
	a.expect("after a restart", 1, 1)

	last := c.blocks[len(c.blocks)-1]
	last.Kind = port.Disconnected
	a.told = nil
	a.must(ChainIn{last})
	a.ticks(2 * foreignGrace)
	a.expect("after a reorg, in no mempool", 0, 0)
	over := 0
	for _, n := range a.told {
		if n.Type == "wallet" && n.TxID == tx.TxHash() {
			over++
		}
	}
	if over != 1 {
		t.Errorf("told %d times that it is over", over)
	}
	if got := a.balance(); got.Confirmed != 1_500_000 {
		t.Errorf("%+v after the reorg", got)
	}
	a.sees(tx)
	a.ticks(2 * foreignGrace)
	a.expect("in the mempool again", 0, 1)
	a.crash()
	a.expect("after another restart", 0, 1)
}

// A block may come before the proposal it confirms, and the signatures on it.
// Within the grace that is no news; later the alarm ends when the signatures of
// k keys arrive, and not before.
func TestALateProposalIsNoForeignSpend(t *testing.T) {
	for _, c := range []struct {
		name  string
		ticks int
		told  int
	}{{"within the grace", foreignGrace - 1, 0}, {"after it", foreignGrace, 1}} {
		t.Run(c.name, func(t *testing.T) {
			w := active(t, 2, 3)
			w.fund(1_000_000)
			a, b, z := w.peers[0], w.peers[1], w.peers[2]
			id := a.must(pay(1, 100_000)).(Proposed).Proposal
			w.settle(a, z)
			z.must(Approve{Proposal: id})
			w.mine(z.sent)
			b.ticks(c.ticks)
			b.expect("before the proposal", c.told, c.told)
			w.settle(a, b) // the proposal, with one signature of two
			b.expect("with the proposal alone", c.told, c.told)
			w.settle()
			b.ticks(2 * foreignGrace)
			b.expect("with the signatures", c.told, 0)
			for _, p := range []*peer{a, z} {
				p.ticks(2 * foreignGrace)
				p.expect("who proposed", 0, 0)
			}
		})
	}
}

// Who spends with k keys behind the others' backs, and enters the proposal
// without signatures, before or after, silences nobody.
func TestAnUnsignedProposalSilencesNoAlarm(t *testing.T) {
	for _, first := range []bool{true, false} {
		c := active(t, 2, 3)
		c.fund(1_000_000)
		a, b, z := c.peers[0], c.peers[1], c.peers[2]
		x := pay(1, 100_000)
		x.Unsigned = true
		id := a.must(x).(Proposed).Proposal
		p, _ := a.m.State.Proposal(id)
		spend, err := p.Spend(a.m.State.Active())
		if err != nil {
			t.Fatal(err)
		}
		var sigs []wallet.Signature
		for _, q := range []*peer{a, z} {
			s, err := spend.Sign(q.account)
			if err != nil {
				t.Fatal(err)
			}
			sigs = append(sigs, s...)
		}
		tx, err := spend.Finalize(sigs, a.self.Verified)
		if err != nil {
			t.Fatal(err)
		}
		if first {
			c.settle()
		}
		c.mine([]*wire.MsgTx{tx})
		c.settle()
		for _, q := range c.peers {
			q.ticks(foreignGrace)
			q.expect("with a proposal that nobody signed", 1, 1)
		}
		c.settle()
		b.crash()
		b.ticks(2 * foreignGrace)
		b.expect("after a restart", 1, 1)
		if text := b.standing(AlarmForeignSpend)[0].Text; !strings.Contains(text, "signatures of 2 keys") || !strings.Contains(text, "those of 0") {
			t.Error(text)
		}
		if _, known := b.m.State.Proposal(id); !known {
			t.Error("the proposal did not arrive")
		}
	}
}

// What an existing wallet spent before its group was there is no alarm.
func TestThePastOfAnExistingWalletIsNoForeignSpend(t *testing.T) {
	c, _ := existingGroup(t, 0)
	c.ratifyAll(false)
	coins := c.fund(1_000_000, 500_000)
	a := c.peers[0]
	c.mine([]*wire.MsgTx{thief(coins[0])}, a)
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	a.ticks(2 * foreignGrace)
	a.expect("of before", 0, 0)
	c.clock = c.clock.Add(time.Second)
	c.mine([]*wire.MsgTx{thief(coins[1])}, a)
	a.ticks(foreignGrace)
	a.expect("of after", 1, 1)
}

// A foreign spend that lost to a confirmed one of ours is over, and the grace
// does not run while the node is catching up.
func TestAForeignSpendThatLostIsOver(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	c.settle()
	a.m.View = a.viewOf()
	a.sees(thief(coins...))
	a.ticks(2 * foreignGrace)
	a.expect("catching up", 0, 0)
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	a.ticks(foreignGrace)
	a.expect("caught up", 1, 1)
	c.mine(b.sent[:1])
	a.expect("after ours is confirmed", 1, 0)
	last := c.blocks[len(c.blocks)-1]
	last.Kind = port.Disconnected
	a.must(ChainIn{last})
	a.expect("after ours left its block", 1, 1)
}

// Deposits, spends of others and our own are no alarm.
func TestOrdinaryTransactionsAreNoAlarm(t *testing.T) {
	c := active(t, 1, 2)
	c.fund(1_000_000)
	a := c.peers[0]
	a.must(pay(1, 100_000))
	a.sees(a.sent[0])
	a.sees(c.pays(0, 5, 1000))
	c.settle()
	c.mine(a.sent)
	for _, p := range c.peers {
		p.ticks(2 * foreignGrace)
		p.expect("ordinary", 0, 0)
	}
	// The coin is found after its spend: a rescan shows older blocks later.
	late := c.pays(0, 30, 7000)
	child := thief(wire.OutPoint{Hash: late.TxHash()})
	child.AddTxOut(c.pays(0, 2, 1).TxOut[0])
	c.mine([]*wire.MsgTx{child})
	a.ticks(2 * foreignGrace)
	a.expect("before the coin is known", 0, 0)
	c.mine([]*wire.MsgTx{c.pays(0, 15, 900)})
	n := c.blocks[0]
	n.Kind, n.Txs = port.Rescanned, []*wire.MsgTx{late}
	a.must(ChainIn{n})
	a.ticks(foreignGrace)
	a.expect("once the coin is known", 1, 1)
}

// A transaction that is not taken is handed over again every few seconds; why it is
// not taken is told once, and again when the reason changes or it was taken between.
func TestAFailedBroadcastIsToldOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	tx := b.sent[0].TxHash()
	b.told = nil
	for _, err := range []error{
		port.ErrUnsupported, port.ErrUnsupported, port.ErrTxRejected, port.ErrTxRejected, port.ErrUnsupported, nil, port.ErrUnsupported,
	} {
		b.must(Broadcasted{TxID: tx, Err: err})
	}
	var told []string
	for _, n := range b.told {
		if n.Type == "alarm" {
			told = append(told, n.Detail)
		}
	}
	away, refused := "could not be handed to the Bitcoin node: "+port.ErrUnsupported.Error(), "is not in the network: "+port.ErrTxRejected.Error()
	if want := []string{away, refused, away, away}; !slices.EqualFunc(told, want, strings.Contains) {
		t.Errorf("told %q, want %q", told, want)
	}
}
