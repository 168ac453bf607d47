package porttest

import (
	"errors"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// A disk refuses what a store's sign guard refuses, and then holds nothing of the
// batch; a careless one takes it, and a copy goes its own way.
func TestADiskKeepsTheGuard(t *testing.T) {
	update := func(tx byte, known ...chainhash.Hash) port.Batch {
		return port.Batch{
			Guard: []port.GuardUpdate{{GuardRecord: port.GuardRecord{TxID: chainhash.Hash{tx}}, Known: known}},
			Puts:  map[string][]byte{string(rune('a' + tx)): {tx}},
		}
	}
	d := NewDisk()
	if err := d.Commit(t.Context(), update(1)); err != nil {
		t.Fatal(err)
	}
	loose := d.Clone()
	loose.Careless = true
	for _, x := range []struct {
		on   *Disk
		b    port.Batch
		want error
		kept int
	}{
		{&d, update(2), port.ErrGuardConflict, 1},
		{&d, update(1), nil, 1},
		{&d, update(2, chainhash.Hash{1}), nil, 2},
		{&loose, update(3), nil, 2},
	} {
		if err := x.on.Commit(t.Context(), x.b); !errors.Is(err, x.want) || len(x.on.Kept) != x.kept {
			t.Errorf("%v: %v, %d records", x.b.Guard, err, len(x.on.Kept))
		}
	}
	if len(d.Signed) != 2 || len(loose.Signed) != 2 {
		t.Errorf("signed %d and %d", len(d.Signed), len(loose.Signed))
	}
}
