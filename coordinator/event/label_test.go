package event

import (
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

func TestBoundsOfLabels(t *testing.T) {
	ids := make([]journal.EntryID, MaxSupersedes+1)
	for i := range ids {
		ids[i] = journal.EntryID{byte(i >> 8), byte(i)}
	}
	ok := LabelSet{Target: LabelTx, Of: make([]byte, 32), Supersedes: ids[:MaxSupersedes]}
	if err := ok.Check(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*LabelSet{
		"short txid":            {Target: LabelTx, Of: make([]byte, 31)},
		"long txid":             {Target: LabelTx, Of: make([]byte, 33)},
		"outpoint without vout": {Target: LabelOutput, Of: make([]byte, 32)},
		"short script":          {Target: LabelAddress, Of: make([]byte, 3)},
		"long script":           {Target: LabelAddress, Of: make([]byte, 43)},
		"nothing":               {Of: make([]byte, 32)},
		"too many superseded":   {Target: LabelTx, Of: make([]byte, 32), Supersedes: ids},
		"one superseded twice":  {Target: LabelTx, Of: make([]byte, 32), Supersedes: []journal.EntryID{{1}, {1}}},
		"superseded unsorted":   {Target: LabelTx, Of: make([]byte, 32), Supersedes: []journal.EntryID{{2}, {1}}},
		"control character":     {Target: LabelTx, Of: make([]byte, 32), Text: "a\tb"},
	} {
		if err := b.Check(); !errors.Is(err, ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
	if err := (&LabelSet{Target: 4, Of: make([]byte, 32)}).Check(); !errors.Is(err, ErrNewer) {
		t.Errorf("a kind of later: %v, want ErrNewer", err)
	}
	for name, b := range map[string]*CoinFrozen{
		"no coin":             {},
		"a coin without vout": {Coin: make([]byte, 32)},
		"a long coin":         {Coin: make([]byte, 37)},
		"too many superseded": {Coin: make([]byte, 36), Supersedes: ids},
		"superseded unsorted": {Coin: make([]byte, 36), Supersedes: []journal.EntryID{{2}, {1}}},
		"a long note":         {Coin: make([]byte, 36), Note: strings.Repeat("x", MaxLabelBytes+1)},
		"a line break":        {Coin: make([]byte, 36), Note: "a\nb"},
	} {
		if err := b.Check(); !errors.Is(err, ErrEvent) {
			t.Errorf("freeze, %s: %v, want ErrEvent", name, err)
		}
	}
	o := wire.OutPoint{Hash: [32]byte{7}, Index: 9}
	if got := (&CoinFrozen{Coin: OutputTarget(o).Bytes()}).OutPoint(); got != o {
		t.Errorf("%v is read back as %v", o, got)
	}
	for _, x := range []LabelTarget{TxTarget([32]byte{7}), AddressTarget(payee(1)), OutputTarget(wire.OutPoint{Hash: [32]byte{7}, Index: 9})} {
		if got := TargetOf(x.Key() + strings.Repeat("i", 32)); got != x {
			t.Errorf("%v is read back as %v", x, got)
		}
	}
}
