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
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds(c.node) {
		select {
		case <-deadline.C:
			c.t.Fatalf("%s: not within %v: %s", c.name, patience, what)
		case <-tick.C:
		}
	}
}

// ceremony makes a wallet of all cosigners, and returns it as the first shows it.
func ceremony(t testing.TB, all ...*cosigner) api.Wallet {
	t.Helper()
	ctx := context.Background()
	made, err := all[0].node.CreateWallet(ctx, api.CreateWallet{Name: "treasury", Threshold: 2, Cosigners: len(all)})
	if err != nil {
		t.Fatal(err)
	}
	for i, invite := range made.Invites {
		if _, err := all[i+1].node.JoinWallet(ctx, api.JoinWallet{Invite: invite}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(n *app.Node) api.Wallet {
		w, err := n.Wallet(ctx, made.Wallet)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for _, c := range all {
		c.eventually("the words", func(n *app.Node) bool { return look(n).Words != nil })
		if _, err := c.node.RatifyWallet(ctx, made.Wallet, api.RatifyWallet{Words: *look(c.node).Words}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		c.eventually("an active wallet", func(n *app.Node) bool { return look(n).State == "active" })
	}
	return look(all[0].node)
}
