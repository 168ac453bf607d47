package service

import (
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/wallet"
)

func TestLabelTarget(t *testing.T) {
	n := &Node{}
	n.parts.Network = wallet.Regtest
	tx := strings.Repeat("Ab", 32)
	// An address as long as a txid.
	const address = "bcrt1qvf3shpfqamaxhwrjx0he8gmf6qvhlu0uk98vv5n752q34ukv03js4prnhu"
	script, err := wallet.ParseAddress(address, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	id := [32]byte([]byte(strings.Repeat("\xab", 32)))
	for ref, want := range map[string]event.LabelTarget{
		tx: event.TxTarget(id), address: event.AddressTarget(script),
		tx + ":7":          event.OutputTarget(wire.OutPoint{Hash: id, Index: 7}),
		tx + ":4294967295": event.OutputTarget(wire.OutPoint{Hash: id, Index: 1<<32 - 1}),
	} {
		if got, err := n.labelTarget(ref); err != nil || got != want {
			t.Errorf("%s is read as %v, %v", ref, got, err)
		}
	}
	for _, ref := range []string{
		"", ":", ":0", tx[:62], tx + "00", tx + ":", tx + ":-1", tx + ":4294967296", tx[:62] + ":0", tx + ":0:0", tx[:63] + "g",
		"bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", address[:63] + "q",
	} {
		if got, err := n.labelTarget(ref); err == nil {
			t.Errorf("%q is read as %v", ref, got)
		}
	}
}
