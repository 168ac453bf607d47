package known

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

func TestEndsOf(t *testing.T) {
	for address, want := range map[string]string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4":                     "bw503t4",
		"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4":                     "bw503t4",
		"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080":                   "bw50080",
		"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx":                     "bw50zsx",
		"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2":                             "1BvBVN2",
		"3BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2":                             "1BvBVN2",
		"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr": "b5cyrcr",
		"bc1pfeesnyr2tx": "bfee2tx",
	} {
		if got := endsOf(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// A transaction that changes, goes or pays the same once more leaves no line behind.
func TestWhatIsNotedIsForgotten(t *testing.T) {
	var x Index
	a, b := payee{"a", "bxxxxxx"}, payee{"b", "bxxxxxx"}
	one, two := chainhash.Hash{1}, chainhash.Hash{2}
	x = x.noted(one, []payee{a, b}).noted(two, []payee{a})
	if got := slices.Collect(x.alike(payee{"c", "bxxxxxx"})); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q look alike", got)
	}
	if got := slices.Collect(x.alike(a)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("%q look like a", got)
	}
	x = x.noted(one, nil)
	if got := slices.Collect(x.alike(b)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q look alike once one is gone", got)
	}
	if x = x.noted(two, nil); x.txs.Len()+x.paid.Len()+x.ends.Len() != 0 {
		t.Errorf("lines are left: %+v", x)
	}
}

// many is an index of so many addresses that were paid.
func many(n int) Index {
	var x Index
	for i := range n {
		script := strange(i)
		address, _ := wallet.AddressOf(script, wallet.Regtest)
		x = x.noted(chainhash.HashH(script), []payee{{string(script), endsOf(address)}})
	}
	return x
}

func strange(i int) []byte {
	h := chainhash.HashH(binary.BigEndian.AppendUint32(nil, uint32(i)))
	return append([]byte{0, 20}, h[:20]...)
}

// To look at an address costs the same however many were paid.
func BenchmarkCautions(b *testing.B) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{})
	for i := range 2 {
		tx.AddTxOut(wire.NewTxOut(1, strange(1<<30+i)))
	}
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		x := many(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				x.Cautions(ledger.View{}, wallet.Regtest, tx)
			}
		})
	}
}

// What is gone through does not grow with how many addresses were paid.
func TestFewAddressesAreLookedAt(t *testing.T) {
	x := many(20_000)
	most := 0
	for i := range 2_000 {
		address, _ := wallet.AddressOf(strange(1<<30+i), wallet.Regtest)
		n := 0
		for range pmap.Prefix(x.ends, byEnds(endsOf(address))) {
			n++
		}
		most = max(most, n)
	}
	if most > 2 {
		t.Errorf("%d of 20,000 look like a strange address", most)
	}
}
