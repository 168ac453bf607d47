package coordinator

import (
	"errors"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/refusal"
)

// The fee is taken from the payees who pay it: what leaves the wallet is what was asked
// for, and the same request again is the same payment.
func TestTheFeeIsTakenFromPayees(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	x := pay(1, 100_000)
	x.Outputs = slices.Concat(x.Outputs, pay(2, 200_000).Outputs, pay(3, 300_000).Outputs)
	x.FeeFrom, x.RequestID, x.Terms = []int{1, 3}, "salaries", "fee from 1, 3"
	made := a.must(x).(Proposed)
	p, _ := a.m.State.Proposal(made.Proposal)
	fee := p.Fee()
	for n, want := range map[byte]int64{1: 100_000 - (fee+1)/2, 2: 200_000, 3: 300_000 - fee/2} {
		if got := paysTo(p, recipient(n)); got != want || fee == 0 {
			t.Errorf("payee %d gets %d, want %d of a fee of %d", n, got, want, fee)
		}
	}
	if left := 1_000_000 - p.Body.Inputs[0].Amount; left != 0 || leaves(a.m.View, p)+fee != 600_000 {
		t.Errorf("%d leave the wallet", leaves(a.m.View, p)+fee)
	}
	if again := a.must(x).(Proposed); again != made {
		t.Errorf("%v, then %v", made, again)
	}
	if x.Outputs[0].Amount != 100_000 {
		t.Error("the request was changed")
	}
}

// All that a coin holds can be paid so, and what cannot be meant is refused.
func TestWhoCannotPayTheFee(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(100_000)
	a := c.peers[0]
	for name, from := range map[string][]int{"nobody": {0}, "a stranger": {2}, "one twice": {1, 1}} {
		x := pay(1, 50_000)
		x.FeeFrom = from
		if _, err := a.do(x); !errors.Is(err, refusal.ErrBadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	x := pay(1, 0)
	x.All, x.FeeFrom = 1, []int{1}
	if _, err := a.do(x); !errors.Is(err, refusal.ErrBadRequest) {
		t.Errorf("who gets all: %v", err)
	}
	x = pay(1, 400)
	x.FeeFrom = []int{1}
	_, err := a.do(x)
	mustRefuse(t, err, refusal.Dust)
	x = pay(1, 100_000)
	_, err = a.do(x)
	mustRefuse(t, err, refusal.Funds)
	x.FeeFrom = []int{1}
	a.must(x)
}
