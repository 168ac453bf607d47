package devnet_test

import (
	"log/slog"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/coordinator/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness remembers blocks: a Devnet gives out those of the best chain only.
type harness struct {
	*devnet.Devnet
	blocks map[chainhash.Hash]*wire.MsgBlock
}

func (h harness) Chain() port.Chain { return h.Devnet }

func (h harness) Mine(n int) ([]chainhash.Hash, error) {
	hashes, err := h.Devnet.Mine(n, nil)
	return h.remember(hashes, err)
}

func (h harness) Reorg(depth int, txs ...*wire.MsgTx) ([]chainhash.Hash, error) {
	hashes, err := h.Devnet.Reorg(depth, txs...)
	return h.remember(hashes, err)
}

func (h harness) remember(hashes []chainhash.Hash, err error) ([]chainhash.Hash, error) {
	for _, hash := range hashes {
		if err == nil {
			h.blocks[hash], err = h.Devnet.Block(hash)
		}
	}
	return hashes, err
}

func (h harness) Block(hash chainhash.Hash) (*wire.MsgBlock, error) {
	if b := h.blocks[hash]; b != nil {
		return b, nil
	}
	return h.Devnet.Block(hash)
}

func start(t testing.TB) *devnet.Devnet {
	t.Helper()
	d, err := devnet.New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}

func TestConformance(t *testing.T) {
	chaintest.Run(t, harness{start(t), map[chainhash.Hash]*wire.MsgBlock{}})
}
