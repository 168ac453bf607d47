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
