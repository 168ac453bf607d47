package core_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/wallet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type harness struct {
	*btcd.Node
	backend *core.Backend
}

func (h harness) Chain() coordinator.Chain { return h.backend }

func open(t testing.TB, cfg core.Config) *core.Backend {
	t.Helper()
	cfg.Network = wallet.Regtest
	cfg.Log = slog.New(slog.DiscardHandler)
	b, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// TestConformance runs against a real btcd process.
func TestConformance(t *testing.T) {
	node := btcd.Start(t)
	chaintest.Run(t, harness{node, open(t, core.Config{URL: node.URL(), User: node.User, Password: node.Password})})
}
