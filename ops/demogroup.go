package ops

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// demoTime bounds each wait of the demo.
const demoTime = 2 * time.Minute

// demo is a whole group in one process: real hosts on loopback sockets, real
// stores on disk, and btcd's own consensus on a private regtest.
type demo struct {
	opts  DemoOptions
	dir   string
	chain *devnet.Devnet
	nodes []*app.Node
	parts []app.Parts // of each node
	names []string
	extra []libp2p.Option                 // of every host, for measurements
	tap   func(kind string, frame []byte) // likewise: see p2p.Config
}

func (d *demo) start(ctx context.Context) error {
	var err error
	if d.dir, err = os.MkdirTemp("", "quorate-demo-"); err != nil {
		return fmt.Errorf("demo: make a temporary directory: %w", err)
	}
	d.say("Starting a private Bitcoin network (regtest, btcd's consensus) and %d nodes, each with its own store and libp2p host.", d.opts.Cosigners)
	if d.chain, err = devnet.New(d.opts.Log); err != nil {
		return fmt.Errorf("demo: start regtest: %w", err)
	}
	for i := range d.opts.Cosigners {
		n, name, err := d.node(ctx, i)
		if err != nil {
			return err
		}
		d.nodes, d.names = append(d.nodes, n), append(d.names, name)
		d.say("  %-8s %s", name, n.PeerID())
	}
	return nil
}

// demoNames are the cosigners of the story.
func demoName(i int) string {
	names := strings.Fields("alice bob carol dave erin frank grace heidi ivan judy kim leo mallory nina oscar peggy quinn rupert sybil trent")
	return names[i%len(names)]
}

func (d *demo) node(ctx context.Context, i int) (*app.Node, string, error) {
	name, mode := demoName(i), robot.Off
	if d.opts.Robot && i == d.opts.Cosigners-1 {
		name, mode = demoRobotName, robot.Signs
	}
	entropy, key := make([]byte, 16), make([]byte, 32)
	var sec app.Secrets
	for _, b := range [][]byte{entropy, key, sec.Identity[:], sec.Sealing[:]} {
		if _, err := rand.Read(b); err != nil {
			return nil, name, fmt.Errorf("demo: read entropy: %w", err)
		}
	}
	mnemonic, err := wallet.NewMnemonic(entropy)
	if err != nil {
		return nil, name, fmt.Errorf("demo: make a seed: %w", err)
	}
	if sec.Seed, err = wallet.MnemonicSeed(mnemonic, ""); err != nil {
		return nil, name, fmt.Errorf("demo: make a seed: %w", err)
	}
	log := d.opts.Log.With("node", name)
	db, err := store.Open(filepath.Join(d.dir, name), key, log)
	if err != nil {
		return nil, name, fmt.Errorf("demo: open store of %s: %w", name, err)
	}
	parts := app.Parts{
		Name: name, Network: wallet.Regtest, Version: app.Version(), Secrets: sec, Store: db, Chain: d.chain,
		Robot: mode,
		P2P:   p2p.Config{Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}, Log: log, ExtraOptions: d.extra, Tap: d.tap}, Log: log,
	}
	n, err := app.Wire(ctx, parts)
	if err != nil {
		return nil, name, errors.Join(fmt.Errorf("demo: start %s: %w", name, err), db.Close())
	}
	d.parts = append(d.parts, parts)
	return n, name, nil
}

// close stops everything and removes what was written.
func (d *demo) close() error {
	var errs []error
	done := make(chan error, len(d.nodes))
	for _, n := range d.nodes {
		go func() { done <- n.Close() }()
	}
	for range d.nodes {
		errs = append(errs, <-done)
	}
	if d.chain != nil {
		errs = append(errs, d.chain.Close())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// ceremony creates the wallet, joins it with the invites, compares the words
// and ratifies.
func (d *demo) ceremony(ctx context.Context) (api.Wallet, error) {
	founder := d.nodes[0]
	created, err := founder.CreateWallet(ctx, api.CreateWallet{Name: "treasury", Threshold: d.opts.Threshold, Cosigners: d.opts.Cosigners})
	if err != nil {
		return api.Wallet{}, err
	}
	id := created.Wallet
	d.say("\n%s creates the wallet \"treasury\", %d of %d, and hands one invite to each of the others.", d.names[0], d.opts.Threshold, d.opts.Cosigners)
	for i, inv := range created.Invites {
		if _, err := d.nodes[i+1].JoinWallet(ctx, api.JoinWallet{Invite: inv, Wait: true}); err != nil {
			return api.Wallet{}, fmt.Errorf("demo: %s joins: %w", d.names[i+1], err)
		}
		d.say("  %-8s proves its invite, possession of its key, and commits to its random number", d.names[i+1])
	}
	if err := d.until(ctx, "the six words", func(n *app.Node) (bool, error) {
		w, err := n.Wallet(ctx, id)
		return err == nil && w.Words != nil, err
	}); err != nil {
		return api.Wallet{}, err
	}
	first, err := founder.Wallet(ctx, id)
	if err != nil {
		return first, err
	}
	d.say("\nAll have revealed. Each reads the six words to each of the others, in person:\n\n    %s\n", *first.Words)
	for i, n := range d.nodes {
		w, err := n.Wallet(ctx, id)
		if err != nil {
			return w, err
		}
		if _, err := n.RatifyWallet(ctx, id, api.RatifyWallet{Words: *first.Words}); err != nil {
			return w, fmt.Errorf("demo: %s ratifies: %w", d.names[i], err)
		}
	}
	err = d.until(ctx, "the wallet to be active", func(n *app.Node) (bool, error) {
		w, err := n.Wallet(ctx, id)
		return w.State == "active", err
	})
	if err != nil {
		return first, err
	}
	d.say("Every cosigner has ratified: the wallet is active on every node.")
	return founder.Wallet(ctx, id)
}

// fund pays one output for each spend, and one more; for a robot's, one for each payment.
func (d *demo) fund(ctx context.Context, id string) error {
	d.say("\nThe wallet is funded:")
	coins := d.opts.Spends + 1
	if d.opts.Robot {
		coins = demoPayments
	}
	for range coins {
		addr, err := d.nodes[0].NewAddress(ctx, id, api.NewAddress{})
		if err != nil {
			return err
		}
		script, err := wallet.ParseAddress(addr.Address, wallet.Regtest)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		if _, err := d.chain.Fund(script, 50_000_000); err != nil {
			return fmt.Errorf("demo: fund: %w", err)
		}
		d.say("  0.5 btc to %s", addr.Address)
		if addr.Index >= 18 {
			break // the gap limit is for unused addresses; mining below uses them
		}
	}
	if _, err := d.chain.Mine(1, d.chain.FaucetScript()); err != nil {
		return fmt.Errorf("demo: mine: %w", err)
	}
	return d.until(ctx, "the deposits", func(n *app.Node) (bool, error) {
		w, err := n.Wallet(ctx, id)
		return w.Balance.Spendable > 0, err
	})
}

// until waits for a condition on every node.
func (d *demo) until(ctx context.Context, what string, cond func(*app.Node) (bool, error)) error {
	for _, n := range d.nodes {
		if err := d.untilOn(ctx, n, what, cond); err != nil {
			return err
		}
	}
	return nil
}

// untilOn looks again whenever the node tells of a change.
func (d *demo) untilOn(ctx context.Context, n *app.Node, what string, cond func(*app.Node) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	events, err := n.Subscribe(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for {
		ok, err := cond(n)
		if err != nil || ok {
			return err
		}
		select {
		case _, open := <-events:
			if !open {
				if events, err = n.Subscribe(ctx); err != nil {
					return fmt.Errorf("demo: %w", err)
				}
			}
		case <-time.After(time.Second): // what no event tells of
		case <-ctx.Done():
			return fmt.Errorf("demo: waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}
