package neutrino_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	lib "github.com/lightninglabs/neutrino"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

func TestMain(m *testing.M) {
	// The first wait before a lost peer is tried again.
	lib.ConnectionRetryInterval = 100 * time.Millisecond
	// How long a peer has for an answer: to a question for a block that has just
	// left the chain there is none.
	lib.QueryTimeout = time.Second
	// The library may connect once more while it stops, and gives up on that
	// peer only when it does not greet.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/btcsuite/btcd/peer.(*Peer).start"),
		// btcd v0.26.2: stallHandler counts a closed outQuit twice and ends, and a
		// reader that has a message in its hands then tells nobody of it for ever.
		goleak.IgnoreTopFunction("github.com/btcsuite/btcd/peer.(*Peer).inHandler"))
}

type harness struct {
	*btcd.Node
	backend *neutrino.Backend
	proxy   *chaintest.Proxy
}

func (h harness) Chain() port.Chain       { return h.backend }
func (h harness) Blind()                  {}
func (h harness) Proxy() *chaintest.Proxy { return h.proxy }

func open(t testing.TB, dir string, peers ...string) *neutrino.Backend {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("QUORATE_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	b, err := neutrino.New(neutrino.Config{Dir: dir, Network: wallet.Regtest, Peers: peers, Log: log})
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

// synced waits until a backend has reached a height.
func synced(t testing.TB, b *neutrino.Backend, height int32) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		if h := b.Health(); h.Synced && h.Height >= height {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not synced to %d: %+v", height, b.Health())
		}
	}
}

// TestConformance runs against a real btcd process, over the Bitcoin protocol.
func TestConformance(t *testing.T) {
	node := btcd.Start(t)
	proxy := chaintest.NewProxy(t, node.P2P)
	b := open(t, filepath.Join(t.TempDir(), "n"), proxy.Addr)
	synced(t, b, 1)
	chaintest.Run(t, harness{node, b, proxy})
}
