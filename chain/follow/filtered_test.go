package follow

import (
	"bytes"
	"context"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// sieve is a script that can tell what is in a block.
type sieve struct{ *script }

func (s sieve) Interests(_ context.Context, hash chainhash.Hash, height int32, scripts [][]byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(height) >= len(s.blocks) || s.blocks[height].Ref.Hash != hash {
		return false, ErrNoBlock
	}
	for _, tx := range s.blocks[height].Txs {
		for _, want := range scripts {
			if bytes.Equal(tx.TxOut[0].PkScript, want) {
				return true, nil
			}
		}
	}
	return false, nil
}

func (s sieve) Header(ctx context.Context, hash chainhash.Hash, height int32) (*Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(height) >= len(s.blocks) || s.blocks[height].Ref.Hash != hash {
		return nil, ErrNoBlock
	}
	b := *s.blocks[height]
	b.Txs = nil
	return &b, nil
}

// TestFilteredSource streams blocks of interest whole and the others as headers,
// looks back for what is watched later, and shows nothing mined as unconfirmed.
func TestFilteredSource(t *testing.T) {
	s := newScript(12)
	var fetched []int32
	s.onBlock = func(height int32) { fetched = append(fetched, height) } // by one goroutine
	s.pool = []*wire.MsgTx{s.blocks[4].Txs[0], s.blocks[7].Txs[0], {LockTime: 99, TxOut: []*wire.TxOut{{PkScript: []byte{7, 0}}}}}
	var set Set
	f, err := set.Start(t.Context(), sieve{s}, Options{Scripts: [][]byte{{4, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	for height := 1; height < 12; height++ {
		if n := expect(t, f, port.Connected, s.ref(height)); (len(n.Txs) == 1) != (height == 4) {
			t.Errorf("block %d came with %d transactions", height, len(n.Txs))
		}
	}
	expect(t, f, port.CaughtUp, s.ref(11))
	if err := f.Watch(t.Context(), [][]byte{{7, 0}}, 1); err != nil {
		t.Fatal(err)
	}
	if n := expect(t, f, port.Rescanned, s.ref(7)); len(n.Txs) != 1 {
		t.Errorf("rescanned %d transactions", len(n.Txs))
	}
	if n := expect(t, f, port.Seen, s.ref(11)); len(n.Txs) != 1 || n.Txs[0].LockTime != 99 {
		t.Errorf("saw %d transactions, want the one that is not mined", len(n.Txs))
	}
	expect(t, f, port.CaughtUp, s.ref(11))
	set.Close()
	for _, height := range fetched {
		if height != 4 && height != 7 {
			t.Errorf("fetched block %d, which is of no interest", height)
		}
	}
}
