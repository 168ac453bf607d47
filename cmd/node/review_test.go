package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// Whoever proposes decides how many payees there are: none of them is left out of what
// another person is asked to agree to. Coins may be.
func TestEveryPayeeIsShown(t *testing.T) {
	p := payment{}
	for i := range 1000 {
		p.outputs = append(p.outputs, api.TxOutput{Address: fmt.Sprintf("payee%04d", i), Amount: 1})
		p.inputs = append(p.inputs, api.TxInput{OutPoint: fmt.Sprintf("coin%04d:0", i), Amount: 2})
	}
	var b bytes.Buffer
	p.show(&b)
	for i := range 1000 {
		if !strings.Contains(b.String(), fmt.Sprintf("payee%04d", i)) {
			t.Fatalf("payee %d is not shown", i)
		}
	}
	if n := strings.Count(b.String(), "coin0"); n != maxListed || !strings.Contains(b.String(), "and 960 more") {
		t.Errorf("%d coins are shown", n)
	}
}

// Who agrees to a payment reads whose address it pays, where the node knows.
func TestWhoseAddressIsSaid(t *testing.T) {
	p := payment{outputs: []api.TxOutput{
		{Address: "a-stranger", Amount: 1}, {Address: "ourselves", Amount: 2, Own: true},
		{Address: "the-savings", Amount: 3, OwnedBy: &api.Owner{Name: "sav\x1b[2Jings"}},
		{Address: "the-change", Amount: 4, Change: true, Own: true},
	}}
	var b bytes.Buffer
	p.show(&b)
	for address, after := range map[string]string{
		"a-stranger": "pays", "ourselves": "an address of this wallet itself", "the-savings": "an address of wallet sav�[2Jings, which is on this node too",
	} {
		_, rest, found := strings.Cut(b.String(), address+"\n")
		if next, _, _ := strings.Cut(strings.TrimSpace(rest), "\n"); !found || !strings.HasPrefix(next, after) {
			t.Errorf("after %s comes %q, want %q", address, next, after)
		}
	}
}
