package core_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type harness struct {
	*btcd.Node
	backend *core.Backend
	proxy   *chaintest.Proxy
}

func (h harness) Chain() port.Chain       { return h.backend }
func (h harness) Proxy() *chaintest.Proxy { return h.proxy }

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
		Grace: 300 * time.Millisecond,
	})
	chaintest.Run(t, harness{node, b, proxy})
}

// TestRealNodeProblems names what is wrong with a real node, or with the way to it.
func TestRealNodeProblems(t *testing.T) {
	node, err := btcd.New(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Kill(); err != nil {
			t.Errorf("stop btcd: %v", err)
		}
	})
	good := core.Config{URL: node.URL(), User: node.User, Password: node.Password, Network: wallet.Regtest}
	for _, c := range []struct {
		name string
		edit func(*core.Config)
		want error
	}{
		{"wrong password", func(c *core.Config) { c.Password = "other" }, core.ErrLogin},
		{"TLS where none is", func(c *core.Config) { c.URL = "https://" + node.Host }, core.ErrNoTLS},
		{"port of the Bitcoin protocol", func(c *core.Config) { c.URL = "http://" + node.P2P }, core.ErrHungUp},
		{"another network", func(c *core.Config) { c.Network = wallet.Signet }, core.ErrNetwork},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.edit(&cfg)
			cfg.Poll, cfg.Timeout = 20*time.Millisecond, 3*time.Second
			b, err := core.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			healthy(t, b, c.want.Error())
			if _, err := b.Tip(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("Tip: got %v", err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	healthy(t, open(t, good), "")
}
