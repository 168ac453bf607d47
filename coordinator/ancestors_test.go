package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/group"
)

// A child pays for all that it rests on, and that miners would leave behind: its parent's
// parent too.
func TestAChildPaysForItsGrandparent(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a := c.peers[0]
	var fees, sizes int64
	var last *group.Proposal
	for n := range 2 {
		last = a.proposed(pay(byte(n), 100_000))
		c.settle()
		c.peers[1].must(Approve{Proposal: last.Ref.ID})
		c.settle()
		tx, err := a.m.State.FinalTx(last)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range c.peers {
			x.sees(tx)
		}
		spend, err := last.Spend(a.m.State.Active())
		if err != nil {
			t.Fatal(err)
		}
		fees, sizes = fees+last.Fee(), sizes+spend.VSize()
	}
	q := a.proposed(Propose{Follows: FollowUp{Child: last.TxID}, FeeRate: 10_000})
	child, err := q.Spend(a.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	if got := (fees + q.Fee()) * 1000 / (sizes + child.VSize()); got < 10_000 || got > 10_010 {
		t.Errorf("all three pay %d sat/kvB", got)
	}
}
