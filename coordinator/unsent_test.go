package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// spent makes a final payment of a circle of 2 of 3 that nobody has taken yet.
func (c *circle) spent(amount int64) *group.Proposal {
	c.tb.Helper()
	p := c.peers[0].proposed(pay(1, amount))
	c.settle()
	c.peers[1].must(Approve{Proposal: p.Ref.ID})
	c.settle()
	return p
}

// What the Bitcoin node refuses stays told until it is taken, and its change is no coin
// to spend meanwhile.
func TestARefusedTransactionIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	p := c.spent(200_000)
	words := fmt.Errorf("%w: min relay fee not met, 8 < 16", port.ErrTxRejected)
	for _, x := range c.peers[:2] {
		x.must(Broadcasted{TxID: p.TxID, Err: words})
		x.must(Tick{})
		if got := x.standing(AlarmRefused); len(got) != 1 || got[0].TxID != p.TxID || !strings.Contains(got[0].Text, "min relay fee not met, 8 < 16") {
			t.Fatalf("%s: alarms %+v", x.name, got)
		}
		if _, is := x.m.Unsent(p); !is {
			t.Errorf("%s: the proposal does not say so", x.name)
		}
		if got := Sum(Coins(x.m.State, x.m.View, c.clock)); got.Spendable != 0 || got.Unconfirmed == 0 {
			t.Errorf("%s: %+v", x.name, got)
		}
	}
	if _, err := a.do(pay(2, 100_000)); rule(err) != refusal.Funds {
		t.Errorf("built on what is refused: %v", err)
	}
	x := pay(2, 100_000)
	for _, o := range Coins(a.m.State, a.m.View, c.clock) {
		x.Coins = append(x.Coins, o.OutPoint)
	}
	if _, err := a.do(x); rule(err) != refusal.Coin {
		t.Errorf("named: %v", err)
	}
	told := len(a.told)
	a.must(Broadcasted{TxID: p.TxID})
	over := slices.ContainsFunc(a.told[told:], func(n port.Notice) bool { return strings.HasPrefix(n.Detail, "alarm over") })
	if got := a.standing(AlarmRefused); len(got) != 0 || !over {
		t.Errorf("after it was taken: %+v, told %v", got, over)
	}
	a.must(pay(2, 100_000))
	// Another node's transaction may be mined whatever this one's backend says.
	tx, err := b.m.Tx(p)
	if err != nil {
		t.Fatal(err)
	}
	c.mine([]*wire.MsgTx{tx})
	if got := b.standing(AlarmRefused); len(got) != 0 {
		t.Errorf("mined: %+v", got)
	}
}

// What spends the change of a transaction that is refused is not approved.
func TestNothingIsBuiltOnWhatIsRefused(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	p := c.spent(200_000)
	next := a.proposed(pay(2, 100_000))
	c.settle()
	b.must(Broadcasted{TxID: p.TxID, Err: fmt.Errorf("%w: dust", port.ErrTxRejected)})
	_, err := b.do(Approve{Proposal: next.Ref.ID})
	if rule(err) != refusal.ChainBehind || !strings.Contains(err.Error(), "dust") {
		t.Fatalf("error %v", err)
	}
	b.must(Broadcasted{TxID: p.TxID})
	b.must(Approve{Proposal: next.Ref.ID})
}

// What was handed over and nobody shows is an alarm after two minutes, not at once.
func TestAnUnseenTransactionIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	p := c.spent(200_000)
	for _, after := range []time.Duration{0, time.Minute, time.Minute - time.Second} {
		c.clock = c.clock.Add(after)
		a.must(Broadcasted{TxID: p.TxID, Err: port.ErrNotSeen})
		if got := a.standing(AlarmUnseen); len(got) != 0 {
			t.Fatalf("too early: %+v", got)
		}
	}
	c.clock = c.clock.Add(time.Second)
	a.must(Broadcasted{TxID: p.TxID, Err: port.ErrNotSeen})
	if got := a.standing(AlarmUnseen); len(got) != 1 {
		t.Fatalf("alarms %+v", got)
	}
	if got := Sum(Coins(a.m.State, a.m.View, c.clock)); got.Spendable == 0 {
		t.Error("it may well be in the network: its change is spendable")
	}
	a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: a.sent[:1]}})
	if got := a.standing(AlarmUnseen); len(got) != 0 {
		t.Fatalf("shown: %+v", got)
	}
}

// Two copies of one node that hear of each other are each told by an alarm that stands,
// and write nothing further: whatever they signed on their own is for their owner to see.
func TestTwoCopiesOfOneNodeTellTheirOwner(t *testing.T) {
	c := active(t, 2, 3)
	other := c.clone(t)
	other.clock = other.clock.Add(time.Second)
	copies := []*peer{c.peers[2], other.peers[2]}
	for _, p := range copies {
		p.must(LeaseAddress{})
		p.must(LeaseAddress{})
	}
	for n, p := range copies {
		if got := p.standing(AlarmOwnFork); len(got) != 0 {
			t.Fatalf("before they heard of each other: %+v", got)
		}
		for _, e := range copies[1-n].out {
			_, _ = p.do(EntryIn{e}) // what it has it refuses
		}
		if got := p.standing(AlarmOwnFork); len(got) != 1 || !strings.Contains(got[0].Text, "`restore`") {
			t.Errorf("copy %d: alarms %+v", n, got)
		}
		told := 0
		for _, x := range p.told {
			if x.Status == AlarmOwnFork {
				told++
			}
		}
		if told != 1 {
			t.Errorf("copy %d: told %d times", n, told)
		}
		if _, err := p.do(LeaseAddress{}); err == nil {
			t.Errorf("copy %d goes on writing", n)
		}
	}
}

// The words of a backend are bounded, and take one line.
func TestReasonsAreBounded(t *testing.T) {
	got := reasonOf(errors.New("a\nb\t" + strings.Repeat("ü", 1000)))
	if len(got) > maxReason+len("…") || strings.ContainsAny(got, "\n\t") || !strings.HasPrefix(got, "a b ü") || strings.Contains(got, "\ufffd") {
		t.Errorf("%q", got)
	}
}

// Two entries in one place of a member's history stand as an alarm, told once however
// many there are, until that member goes on beside it.
func TestAForkIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	a, z := c.peers[0], c.peers[2]
	other := c.clone(t)
	other.clock = other.clock.Add(time.Second)
	copied := other.peers[2]
	z.must(LeaseAddress{})
	copied.must(LeaseAddress{})
	copied.must(LeaseAddress{})
	z.must(LeaseAddress{})
	for _, e := range slices.Concat(z.out, copied.out) {
		if _, err := a.do(EntryIn{e}); err != nil && !port.IsReject(err) {
			var gap *port.GapError
			if !errors.As(err, &gap) {
				t.Log(err)
			}
		}
	}
	if got := a.standing(AlarmFork); len(got) != 1 || !strings.Contains(got[0].Text, z.name) {
		t.Fatalf("alarms %+v", got)
	}
	told := 0
	for _, n := range a.told {
		if n.Status == AlarmFork {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// The transaction of a proposal can be had once the network shows it, also where this
// node lacks signatures; with a witness that is none it cannot.
func TestAShownTransactionIsGiven(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	p := a.proposed(pay(1, 200_000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle(a, b)
	tx, err := a.m.Tx(p)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := z.m.State.Proposal(p.Ref.ID)
	if _, err := z.m.Tx(q); err == nil {
		t.Fatal("it is final already")
	}
	bare := tx.Copy()
	bare.TxIn[0].Witness = nil
	forged := z.m
	forged.View, _ = forged.View.See(bare, true)
	if _, err := forged.Tx(q); err == nil {
		t.Error("without a witness it is given")
	}
	z.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
	got, err := z.m.Tx(q)
	if err != nil || got.WitnessHash() != tx.WitnessHash() {
		t.Fatalf("%v", err)
	}
}
