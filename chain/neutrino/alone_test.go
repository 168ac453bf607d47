package neutrino_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

func start(t *testing.T, cfg neutrino.Config) *neutrino.Backend {
	t.Helper()
	cfg.Network, cfg.Log = wallet.Regtest, slog.New(slog.DiscardHandler)
	b, err := neutrino.New(cfg)
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

// Filter headers are not taken from the first peer, if two are needed: the library
// would keep them, and drop the honest peer that comes later.
func TestFirstPeerIsNotBelieved(t *testing.T) {
	node := btcd.Start(t)
	var lies atomic.Int32
	bad := listen(t, "127.0.0.2:0", liar(node.P2P, func(m wire.Message) {
		switch m := m.(type) {
		case *wire.MsgCFHeaders:
			for _, h := range m.FilterHashes {
				h[0] ^= 1
			}
			lies.Add(1)
		case *wire.MsgCFilter:
			m.Data = []byte{0}
		}
	}))
	l, err := net.Listen("tcp", "127.0.0.3:0") // an address for the honest one
	if err != nil {
		t.Skipf("cannot listen on 127.0.0.3: %v", err)
	}
	honest := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b := start(t, neutrino.Config{Dir: filepath.Join(t.TempDir(), "n"), Peers: []string{bad, honest}}.Needs(2))
	health(t, b, "block headers of the first", func(h port.ChainHealth) bool { return h.Target == 120 && h.Stage == "filter headers" })
	if _, err := node.Mine(1); err != nil {
		t.Fatal(err)
	}
	health(t, b, "the next", func(h port.ChainHealth) bool { return h.Target == 121 })
	if h := b.Health(); h.Height != 0 || h.Synced || !strings.Contains(h.Problem, "2 are needed") {
		t.Errorf("with one peer: %+v", h)
	}
	if n := lies.Load(); n != 0 {
		t.Errorf("%d answers were had from the first peer", n)
	}
	listen(t, honest, liar(node.P2P, func(wire.Message) {}))
	health(t, b, "the liar", func(h port.ChainHealth) bool { return strings.Contains(h.Note, "127.0.0.2") })
	health(t, b, "honest filter headers", func(h port.ChainHealth) bool { return h.Height == 121 })
	if lies.Load() == 0 {
		t.Error("the liar was not asked at all")
	}
}

// Filter headers on disk that no peer agrees with are fetched again, and the
// honest peer, which the library drops for a day at first, is connected again.
func TestFilterHeadersThatNobodyServes(t *testing.T) {
	node := btcd.Start(t)
	dir := filepath.Join(t.TempDir(), "n")
	b := open(t, dir, node.P2P)
	synced(t, b, 120)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "reg_filter_headers.bin")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Mine(1); err != nil {
		t.Fatal(err)
	}
	b = start(t, neutrino.Config{Dir: dir, Peers: []string{node.P2P}}.Stalls(2*time.Second))
	synced(t, b, 121)
	if h := b.Health(); !strings.Contains(h.Note, "dropped") {
		t.Errorf("nobody was dropped, so this shows nothing: %+v", h)
	}
}

// A named peer that did not serve filters is connected when it does, after a restart.
func TestNamedPeerIsMended(t *testing.T) {
	node := btcd.Start(t)
	var mended atomic.Bool
	peer := listen(t, "127.0.0.1:0", liar(node.P2P, func(m wire.Message) {
		if v, ok := m.(*wire.MsgVersion); ok && !mended.Load() {
			v.Services &^= wire.SFNodeCF
		}
	}))
	dir := filepath.Join(t.TempDir(), "n")
	b := open(t, dir, peer)
	health(t, b, "what is wrong with it", func(h port.ChainHealth) bool {
		return strings.Contains(h.Note, "unable to serve compact filters")
	})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	mended.Store(true)
	synced(t, open(t, dir, peer), 120)
}

// A peer with honest filter headers and other filters is dropped and named, and a
// scan gets through by the honest one.
func TestPeerThatLiesInFilters(t *testing.T) {
	node := btcd.Start(t)
	bad := listen(t, "127.0.0.2:0", liar(node.P2P, func(m wire.Message) {
		if m, ok := m.(*wire.MsgCFilter); ok {
			m.Data = []byte{0} // an empty filter hides every payment
		}
	}))
	b := open(t, filepath.Join(t.TempDir(), "n"), bad)
	synced(t, b, 120)
	f, err := b.Follow(t.Context(), nil, 1, [][]byte{{0x51}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	health(t, b, "the liar", func(h port.ChainHealth) bool {
		return strings.Contains(h.Note, "127.0.0.2") && strings.Contains(h.Note, "does not fit")
	})
	select {
	case n := <-f.Notices():
		t.Errorf("it was believed: %+v", n)
	default:
	}
}
