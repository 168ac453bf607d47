package coordinator

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// What concerns the wallet passes the sieve, before and after a restart; what
// does not, does not.
func TestTheSieveLetsThroughWhatConcernsTheWallet(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	deposit := c.pays(0, 3, 700_000)
	unspent := c.pays(0, 4, 1000)
	c.mine([]*wire.MsgTx{deposit, unspent})
	spend := wire.NewMsgTx(2)
	spend.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: deposit.TxHash(), Index: 0}})
	spend.AddTxOut(wire.NewTxOut(1, recipient(9)))
	c.mine([]*wire.MsgTx{spend})
	next := wire.NewMsgTx(2)
	next.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: unspent.TxHash(), Index: 0}})
	foreign := wire.NewMsgTx(2)
	foreign.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH([]byte("other")), Index: 1}})
	foreign.AddTxOut(wire.NewTxOut(1, recipient(9)))
	// Known by what it was, not by what it pays: its script is watched no more.
	known := deposit.Copy()
	known.TxOut = nil
	check := func(when string) {
		t.Helper()
		v := a.m.View
		if v.sieve == nil {
			t.Fatalf("%s: there is no sieve", when)
		}
		for name, tx := range map[string]*wire.MsgTx{
			"a payment": deposit, "a payment to an unused address": c.pays(1, 12, 1), "a known spend": spend, "a spend": next, "what is known": known,
		} {
			if !v.sieve.passes(tx) {
				t.Errorf("%s: %s does not pass", when, name)
			}
		}
		for _, tx := range []*wire.MsgTx{deposit, spend} {
			if !v.concerns(tx) {
				t.Errorf("%s: a transaction of the wallet does not concern it", when)
			}
		}
		if v.sieve.passes(foreign) || v.concerns(foreign) {
			t.Errorf("%s: a transaction of others passes", when)
		}
		if got := a.balance(); got.Confirmed != 1000 {
			t.Errorf("%s: %+v", when, got)
		}
	}
	check("before the restart")
	a.crash()
	check("after the restart")
	if !(*sieve)(nil).passes(foreign) {
		t.Error("no sieve lets nothing through")
	}
}
