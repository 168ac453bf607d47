package ledger

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// A scan never begins past the birthday, and a reorg that takes all that is
// known moves the birthday back: a payment may now lie below it.
func TestTheScanBeginsAtTheBirthday(t *testing.T) {
	v := View{birthday: 5000}
	if _, _, err := v.Connect(port.BlockRef{Height: 5002, Hash: chainhash.Hash{2}}, chainhash.Hash{1}, nil); err == nil {
		t.Fatal("a block was left out")
	}
	first := port.BlockRef{Height: 5001, Hash: chainhash.Hash{1}}
	v, _, err := v.Connect(first, chainhash.Hash{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = v.Disconnect(first); err != nil {
		t.Fatal(err)
	}
	if v.Birthday() != 5000-deepReorg {
		t.Errorf("the scan begins after block %d", v.Birthday())
	}
	if _, err := v.Disconnect(port.BlockRef{Height: 5000}); err == nil {
		t.Error("disconnected below the blocks that are known")
	}
}

// While old blocks are scanned for addresses that were learnt late, a coin may be
// known before its spend: the view counts as behind.
func TestAnUnfinishedScanOfOldBlocksIsNotSynced(t *testing.T) {
	for name, c := range map[string]struct {
		rescan int32
		want   bool
	}{"none": {0, true}, "near the tip": {1000 - FreshMargin, true}, "old": {1000 - 2*FreshMargin, false}, "all": {1, false}} {
		v := View{caughtUp: true, tip: port.BlockRef{Height: 1000}, rescan: c.rescan}
		if v.Synced() != c.want {
			t.Errorf("%s: synced %v", name, v.Synced())
		}
	}
}

func TestLookBackFindsSpends(t *testing.T) {
	pay := &wire.MsgTx{TxOut: []*wire.TxOut{{Value: 5, PkScript: []byte("mine")}}}
	spend := &wire.MsgTx{TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: pay.TxHash()}}}}
	other := &wire.MsgTx{LockTime: 7, TxOut: []*wire.TxOut{{PkScript: []byte("other")}}}
	p := NewPicker([][]byte{[]byte("mine")})
	if got := p.Pick([]*wire.MsgTx{other, spend}); len(got) != 0 {
		t.Errorf("%d of interest before the payment", len(got))
	}
	if got := p.Pick([]*wire.MsgTx{other, pay, spend}); !slices.Equal(got, []*wire.MsgTx{pay, spend}) {
		t.Errorf("%d of interest", len(got))
	}
}
