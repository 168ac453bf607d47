package coordinator

import (
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

func gather(rate, below wallet.FeeRate) Propose {
	return Propose{Follows: FollowUp{Below: below}, FeeRate: rate}
}

func TestSmallCoinsAreGathered(t *testing.T) {
	c := active(t, 2, 3)
	// What is worth less than its fee stays, as does what is frozen, leased, or not confirmed.
	coins := c.fund(9_000, 5_000_000, 8_000, 150, 7_000, 6_000, 20_000)
	a, b := c.peers[0], c.peers[1]
	c.featured()
	a.must(Freeze{Coin: coins[4]})
	leased := pay(1, 5_000)
	leased.Coins, leased.Unsigned = coins[6:], true
	a.proposed(leased)
	r := a.refused(refusal.FeeNotBelow, gather(3000, 3000))
	if r.Overridable || !strings.Contains(r.Text, "3 sat/vB, and not below 3") {
		t.Errorf("refused with %+v", r)
	}
	p := a.proposed(gather(2000, 2001))
	var spends []int64
	for _, in := range p.Body.Inputs {
		spends = append(spends, in.Amount)
	}
	if !slices.Equal(spends, []int64{6_000, 8_000, 9_000, 5_000_000}) || !p.PaysOnlyUs() || len(p.Body.Outputs) != 1 || p.Body.Outputs[0].Change == nil {
		t.Errorf("it spends %d to %+v", spends, p.Body.Outputs)
	}
	spend, _ := p.Spend(a.m.State.Active())
	if got := p.Fee() * 1000 / spend.VSize(); got < 2000 || got > 2010 {
		t.Errorf("it pays %d sat/kvB", got)
	}
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	// All there is is under way.
	a.refused(refusal.Funds, gather(2000, 3000))
	for _, bad := range []Propose{
		{Follows: FollowUp{Below: 3000, Bump: p.Ref.ID}, FeeRate: 2000},
		{Follows: FollowUp{Below: 3000}, FeeRate: 2000, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 1}}},
	} {
		if _, err := a.do(bad); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
}

// However many coins there are, what is gathered at once needs no name for its fee, and no
// more of them than a bound: the smallest.
func TestFewCoinsAreGatheredAtOnce(t *testing.T) {
	c := active(t, 2, 3)
	var amounts []int64
	for i := range 300 {
		amounts = append(amounts, 100_000+int64(i))
	}
	for len(amounts) > 0 { // onto the addresses that are watched
		n := min(20, len(amounts))
		c.fund(amounts[:n]...)
		amounts = amounts[n:]
	}
	a := c.peers[0]
	for rate, most := range map[wallet.FeeRate]int{1000: maxConsolidated, 10_000: 48} {
		d, err := a.m.Preview(gather(rate, 100_000), a.input(nil))
		if err != nil {
			t.Fatal(err)
		}
		ins := d.Proposal.Body.Inputs
		if len(ins) > most || len(ins) < most-2 || ins[0].Amount != 100_000 || d.Proposal.Fee() > maxFeeFloor || len(d.Overridden) != 0 {
			t.Errorf("at %d it spends %d coins from %d on with a fee of %d, and overrides %v", rate, len(ins), ins[0].Amount, d.Proposal.Fee(), d.Overridden)
		}
	}
	a.refused(refusal.Funds, gather(900_000, 1_000_000))
}
