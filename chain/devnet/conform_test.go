package devnet_test

import (
	"log/slog"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/coordinator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type harness struct{ *devnet.Devnet }

func (h harness) Chain() coordinator.Chain { return h.Devnet }

func (h harness) Mine(n int) ([]chainhash.Hash, error) { return h.Devnet.Mine(n, nil) }

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

func TestConformance(t *testing.T) { chaintest.Run(t, harness{start(t)}) }
