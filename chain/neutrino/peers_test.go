package neutrino_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/coordinator/port"
)

// listen serves connections until the test ends.
func listen(t testing.TB, addr string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("cannot listen on %s: %v", addr, err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// liar passes everything between a client and a node, but for what lie changes
// in the node's answers.
func liar(node string, lie func(wire.Message)) func(net.Conn) {
	return func(client net.Conn) {
		server, err := net.Dial("tcp", node)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		const magic = wire.TestNet // regtest's
		for {
			_, m, _, err := wire.ReadMessageWithEncodingN(server, wire.AddrV2Version, magic, wire.WitnessEncoding)
			if errors.Is(err, wire.ErrUnknownMessage) {
				continue
			}
			if err != nil {
				return
			}
			lie(m)
			if _, err := wire.WriteMessageWithEncodingN(client, m, wire.AddrV2Version, magic, wire.WitnessEncoding); err != nil {
				return
			}
		}
	}
}

func health(t testing.TB, b *neutrino.Backend, what string, ok func(port.ChainHealth) bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !ok(b.Health()) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("health never shows %s: %+v", what, b.Health())
		}
	}
}

// A peer whose filters differ from those that the blocks call for is dropped and
// named, and what it said is not believed.
func TestPeerThatLiesAboutFilters(t *testing.T) {
	node := btcd.Start(t)
	lies := 0
	var mu sync.Mutex
	bad := listen(t, "127.0.0.2:0", liar(node.P2P, func(m wire.Message) {
		mu.Lock()
		defer mu.Unlock()
		switch m := m.(type) {
		case *wire.MsgCFHeaders:
			for _, h := range m.FilterHashes {
				h[0] ^= 1
				lies++
			}
		case *wire.MsgCFilter:
			m.Data = []byte{0} // an empty filter hides every payment
		}
	}))
	b := open(t, filepath.Join(t.TempDir(), "n"), bad, node.P2P)
	synced(t, b, 120)
	mined, err := node.Mine(3)
	if err != nil {
		t.Fatal(err)
	}
	synced(t, b, 123)
	health(t, b, "the liar", func(h port.ChainHealth) bool { return strings.Contains(h.Note, "127.0.0.2") })
	tip, err := b.Tip(t.Context())
	if err != nil || tip.Hash != mined[2] {
		t.Errorf("tip %v, %v", tip, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if lies == 0 {
		t.Error("nobody lied")
	}
}

// What stands between a node and the network is named, and ends when it ends.
func TestProblemsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"no Bitcoin node": {func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_, _ = io.Copy(io.Discard, c)
		}, "is not a Bitcoin node of this network"},
		"another network": {func(c net.Conn) {
			m := wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, 1, 0)
			_ = wire.WriteMessage(c, m, wire.AddrV2Version, chaincfg.MainNetParams.Net)
			_, _ = io.Copy(io.Discard, c)
		}, "is not a Bitcoin node of this network"},
		"closes at once": {func(net.Conn) {}, "closed the connection or said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, filepath.Join(t.TempDir(), "n"), listen(t, "127.0.0.1:0", c.serve))
			health(t, b, c.want, func(h port.ChainHealth) bool {
				return strings.Contains(h.Problem, c.want) && !h.Since.IsZero() && !h.Synced
			})
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		b := open(t, filepath.Join(t.TempDir(), "n"), "127.0.0.1:1")
		health(t, b, "the refusal", func(h port.ChainHealth) bool { return strings.Contains(h.Problem, "connection refused") })
	})
	t.Run("no peer is named", func(t *testing.T) {
		b := open(t, filepath.Join(t.TempDir(), "n"))
		health(t, b, "what to do", func(h port.ChainHealth) bool { return strings.Contains(h.Problem, "chain.neutrino.peers") })
		if _, err := b.HeightAt(t.Context(), time.Now()); !errors.Is(err, port.ErrNotSynced) {
			t.Errorf("HeightAt: %v", err)
		}
		if _, err := b.Broadcast(t.Context(), wire.NewMsgTx(2)); err == nil || errors.Is(err, port.ErrTxRejected) {
			t.Errorf("Broadcast: %v", err)
		}
	})
}

// Headers on disk are there again after a restart; damaged ones are fetched again.
func TestHeadersOnDisk(t *testing.T) {
	node := btcd.Start(t)
	dir := filepath.Join(t.TempDir(), "n")
	first := open(t, dir, node.P2P)
	synced(t, first, 120)
	if h, err := first.HeightAt(t.Context(), time.Now().Add(-24*time.Hour)); err != nil || h != 0 {
		t.Errorf("yesterday was height %d, %v", h, err)
	}
	if h, err := first.HeightAt(t.Context(), time.Now().Add(24*time.Hour)); err != nil || h != 120 {
		t.Errorf("tomorrow is height %d, %v", h, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	alone := open(t, dir)
	if tip, err := alone.Tip(t.Context()); err != nil || tip.Height != 120 {
		t.Errorf("without the network the tip is %v, %v", tip, err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	height := int32(120)
	for _, name := range []string{"neutrino.db", "block_headers.bin", "reg_filter_headers.bin"} {
		for what, damage := range map[string]func(string) error{
			"cut":    func(p string) error { return os.Truncate(p, 1000) },
			"empty":  func(p string) error { return os.Truncate(p, 0) },
			"gone":   os.Remove,
			"letter": func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("x", 40_000)), 0o600) },
			"half a header too many": func(p string) error {
				f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					return err
				}
				_, err = f.Write(make([]byte, 16))
				return errors.Join(err, f.Close())
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				if err := damage(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				b := open(t, dir, node.P2P)
				synced(t, b, height) // without a new block
				if _, err := node.Mine(1); err != nil {
					t.Fatal(err)
				}
				height++
				synced(t, b, height)
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
