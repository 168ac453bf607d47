package core_test

import (
	"log/slog"
	"testing"
	"time"

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
	proxy   *chaintest.Proxy
}

func (h harness) Chain() coordinator.Chain { return h.backend }
func (h harness) Proxy() *chaintest.Proxy  { return h.proxy }

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
	proxy := chaintest.NewProxy(t, node.Host)
	b := open(t, core.Config{
		URL: "http://" + proxy.Addr, User: node.User, Password: node.Password, Poll: 20 * time.Millisecond, Timeout: 3 * time.Second,
	})
	chaintest.Run(t, harness{node, b, proxy})
}
