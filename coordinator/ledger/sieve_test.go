package ledger

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// someWallet is a descriptor of 2 of 2, with made-up keys.
func someWallet(t *testing.T) *wallet.Descriptor {
	t.Helper()
	var keys []wallet.Key
	for i := range byte(2) {
		a, err := wallet.DeriveAccount(bytes.Repeat([]byte{i + 1}, 32), wallet.Regtest, wallet.ScriptWSH, 0)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, a.Key())
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 2, keys)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// restarted is what a restart makes of a view.
func restarted(t *testing.T, v View, d *wallet.Descriptor) View {
	t.Helper()
	recs := map[string][]byte{}
	put := func(name string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		recs[name] = b
	}
	b, err := v.Record()
	put(RecView, b, err)
	for id, x := range v.Txs() {
		b, err := x.Record()
		put(RecTx+id.String(), b, err)
	}
	next, err := Restore(recs, d)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// What concerns the wallet passes the sieve, before and after a restart; what
// does not, does not.
func TestTheSieveLetsThroughWhatConcernsTheWallet(t *testing.T) {
	d := someWallet(t)
	v, _, err := View{}.Watch(d)
	if err != nil {
		t.Fatal(err)
	}
	pays := func(branch, index uint32, amount int64) *wire.MsgTx {
		s, err := d.Script(branch, index)
		if err != nil {
			t.Fatal(err)
		}
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{1}, Index: index}})
		tx.AddTxOut(wire.NewTxOut(amount, s.PkScript))
		return tx
	}
	mine := func(txs ...*wire.MsgTx) {
		b := port.BlockRef{Height: v.Tip().Height + 1, Hash: chainhash.Hash{9, byte(v.Tip().Height)}}
		if v, _, err = v.Connect(b, v.Tip().Hash, txs); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := []byte{0, 20, 21: 9}
	deposit := pays(0, 3, 700_000)
	unspent := pays(0, 4, 1000)
	mine(deposit, unspent)
	spend := wire.NewMsgTx(2)
	spend.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: deposit.TxHash(), Index: 0}})
	spend.AddTxOut(wire.NewTxOut(1, elsewhere))
	mine(spend)
	next := wire.NewMsgTx(2)
	next.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: unspent.TxHash(), Index: 0}})
	foreign := wire.NewMsgTx(2)
	foreign.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH([]byte("other")), Index: 1}})
	foreign.AddTxOut(wire.NewTxOut(1, elsewhere))
	// Known by what it was, not by what it pays: its script is watched no more.
	known := deposit.Copy()
	known.TxOut = nil
	check := func(when string) {
		t.Helper()
		if v.sieve == nil {
			t.Fatalf("%s: there is no sieve", when)
		}
		for name, tx := range map[string]*wire.MsgTx{
			"a payment": deposit, "a payment to an unused address": pays(1, 12, 1), "a known spend": spend, "a spend": next, "what is known": known,
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
		if got := slices.Collect(v.Unspent()); len(got) != 1 || got[0].Amount != 1000 {
			t.Errorf("%s: %+v", when, got)
		}
	}
	check("before the restart")
	v = restarted(t, v, d)
	check("after the restart")
	if !(*sieve)(nil).passes(foreign) {
		t.Error("no sieve lets nothing through")
	}
}
