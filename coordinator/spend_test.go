package coordinator

import (
	"bytes"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

func (p *peer) status(id journal.EntryID) group.Status {
	p.tb.Helper()
	x, ok := p.m.State.Proposal(id)
	if !ok {
		p.tb.Fatalf("%s does not hold proposal %s", p.name, id)
	}
	return group.Derive(p.m.State, p.m.View, *p.clock, x)
}

func TestCeremonyGivesEveryMemberTheSameWalletAndWords(t *testing.T) {
	sizes := [][2]int{{1, 2}, {2, 2}, {2, 3}, {3, 5}, {11, 15}}
	if underRace {
		sizes = sizes[:4]
	}
	for _, size := range sizes {
		c := active(t, size[0], size[1])
		first := c.peers[0].m.State.Active()
		for _, p := range c.peers {
			a := p.m.State.Active()
			if a.Descriptor.String() != first.Descriptor.String() || a.Words() != first.Words() {
				t.Fatalf("%d-of-%d: %s differs", size[0], size[1], p.name)
			}
			if ep, ok := p.m.State.Epoch(); !ok || ep.Number != 1 {
				t.Fatalf("%d-of-%d: %s writes under epoch %d, want the one made when the roster closed", size[0], size[1], p.name, ep.Number)
			}
		}
	}
}

func TestTwoOfThreeSpend(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(pay(1, 250_000)).(Proposed).Proposal
	c.settle(a, b)
	if got := b.status(id); got != group.StatusPending {
		t.Fatalf("after the proposer signed: %s", got)
	}
	b.must(Approve{Proposal: id})
	c.settle(a, b)
	for _, p := range []*peer{a, b} {
		if got := p.status(id); got != group.StatusFinal {
			t.Fatalf("%s: %s, want final", p.name, got)
		}
		if len(p.sent) != 1 {
			t.Fatalf("%s broadcast %d times", p.name, len(p.sent))
		}
	}
	if !bytes.Equal(raw(t, a.sent[0]), raw(t, b.sent[0])) {
		t.Fatal("the final transactions differ")
	}
	c.mine(a.sent)
	if got := a.status(id); got != group.StatusConfirmed {
		t.Fatalf("mined: %s", got)
	}
	c.settle() // z was away
	if got := z.status(id); got != group.StatusConfirmed {
		t.Fatalf("late cosigner: %s", got)
	}
}

func raw(t *testing.T, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRequestIDGivesTheSameProposalAlsoAfterACrash(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	x := pay(1, 100_000)
	x.RequestID = "invoice-17"
	first := a.must(x).(Proposed)
	a.crash()
	if again := a.must(x).(Proposed); again != first {
		t.Fatalf("%v, then %v", first, again)
	}
	if n := a.m.State.Counts()["proposals"]; n != 1 {
		t.Fatalf("%d proposals", n)
	}
}

func TestAFailedCommitChangesNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	before, out := a.m.State.Chains().Len(), len(a.out)
	a.failing = true
	if _, err := a.do(pay(1, 100_000)); !errors.Is(err, errDisk) {
		t.Fatalf("error %v", err)
	}
	if a.m.State.Chains().Len() != before || len(a.out) != out || len(a.Signed) != 0 {
		t.Fatal("a refused commit left something behind")
	}
	a.failing = false
	a.must(pay(1, 100_000))
}
