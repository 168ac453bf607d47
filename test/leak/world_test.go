package leak_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/test/nodes"
	"github.com/quorate/quorate/wallet"
)

// patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const patience = time.Minute

// records collects what an outsider could come to see.
type records struct {
	mu     sync.Mutex
	frames map[string][][]byte // by kind
	log    bytes.Buffer
	// collector, if any, is told of traces.
	collector *collector
}

func (r *records) tap(kind string, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames[kind] = append(r.frames[kind], bytes.Clone(b))
}

func (r *records) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// cosigner is a node in this process whose raw traffic is kept.
type cosigner struct {
	t     testing.TB
	name  string
	dir   string
	key   []byte // of the store; nil leaves it open
	parts app.Parts
	node  *app.Node
}

func newCosigner(t testing.TB, name string, key []byte, chain *devnet.Devnet, r *records) *cosigner {
	t.Helper()
	c := &cosigner{t: t, name: name, dir: filepath.Join(t.TempDir(), name), key: key}
	log := slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.parts = app.Parts{
		Name: name, Network: wallet.Regtest, Version: "test", Chain: chain, Log: log,
		P2P: p2p.Config{Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Log: log, Tap: r.tap},
	}
	if r.collector != nil {
		c.parts.Traces = r.collector.URL
	}
	entropy := make([]byte, 16)
	for _, b := range [][]byte{entropy, c.parts.Secrets.Identity[:], c.parts.Secrets.Sealing[:]} {
		if _, err := rand.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	mnemonic, err := wallet.NewMnemonic(entropy)
	if err != nil {
		t.Fatal(err)
	}
	if c.parts.Secrets.Seed, err = wallet.MnemonicSeed(mnemonic, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	c.start()
	return c
}

func (c *cosigner) open() *store.Badger {
	c.t.Helper()
	db, err := store.Open(c.dir, c.key, slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	return db
}

func (c *cosigner) start() {
	c.t.Helper()
	parts := c.parts
	parts.Store = c.open()
	var err error
	if c.node, err = app.Wire(context.Background(), parts); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cosigner) stop() {
	if c.node == nil {
		return
	}
	if err := c.node.Close(); err != nil {
		c.t.Errorf("stop %s: %v", c.name, err)
	}
	c.node = nil
}

func (c *cosigner) eventually(what string, holds func(n *app.Node) bool) {
	c.t.Helper()
	nodes.Eventually(c.t, patience, c.name+": "+what, func() bool { return holds(c.node) })
}

// ceremony makes a wallet of all cosigners, and returns it as the first shows it.
func ceremony(t testing.TB, all ...*cosigner) api.Wallet {
	t.Helper()
	var members []nodes.Cosigner
	for _, c := range all {
		members = append(members, nodes.Cosigner{Name: c.name, Member: c.node})
	}
	return nodes.Ceremony(t, patience, nodes.WalletName, 2, members...).Wallet
}
