package ops

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// DemoOptions say what the demo shows.
type DemoOptions struct {
	Cosigners, Threshold, Spends int
	// Out is where the story goes; nil tells none.
	Out io.Writer
	Log *slog.Logger
}

// DemoResult is what the demo came to.
type DemoResult struct {
	Network   string       `json:"network"`
	Cosigners int          `json:"cosigners"`
	Threshold int          `json:"threshold"`
	Words     string       `json:"words"`
	Nodes     []api.Person `json:"nodes"`
	Spends    []DemoSpend  `json:"spends"`
}

// DemoSpend is one transaction. Identical says that every node holds the same
// bytes, Confirmed that every node sees it mined.
type DemoSpend struct {
	TxID      string      `json:"txid"`
	WTxID     string      `json:"wtxid"`
	Identical bool        `json:"identical"`
	Confirmed bool        `json:"confirmed"`
	Latency   DemoLatency `json:"latency_ms"`
}

// DemoLatency is in milliseconds: the proposal with its first signatures, all
// further approvals, from the proposal until the last node holds the final
// transaction, and from the block until the last node shows it confirmed.
type DemoLatency struct {
	Propose         float64 `json:"propose"`
	Approve         float64 `json:"approve"`
	FinalEverywhere float64 `json:"final_everywhere"`
	Confirmed       float64 `json:"confirmed"`
}

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
	extra []libp2p.Option // of every host, for measurements
}

// Demo shows the main job from beginning to end and leaves nothing behind. It
// returns an *api.Error of kind Usage for impossible options.
func Demo(ctx context.Context, o DemoOptions) (res DemoResult, err error) {
	if o.Cosigners < 1 || o.Cosigners > 20 || o.Threshold < 1 || o.Threshold > o.Cosigners || o.Spends < 1 || o.Spends > 100 {
		return res, api.Misuse("bad_demo", "demo: give 1 to 20 cosigners, a threshold of 1 up to their number, and 1 to 100 spends", "")
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &demo{opts: o}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.start(ctx); err != nil {
		return res, err
	}
	res = DemoResult{Network: string(wallet.Regtest), Cosigners: o.Cosigners, Threshold: o.Threshold}
	w, err := d.ceremony(ctx)
	if err != nil {
		return res, err
	}
	res.Words = *w.Words
	for _, n := range d.nodes {
		id := n.PeerID()
		for _, c := range w.Cosigners {
			if c.PeerID != nil && *c.PeerID == id {
				res.Nodes = append(res.Nodes, c.Person)
			}
		}
	}
	if err := d.fund(ctx, w.Wallet); err != nil {
		return res, err
	}
	for i := range o.Spends {
		s, err := d.spend(ctx, w.Wallet, i)
		if err != nil {
			return res, err
		}
		res.Spends = append(res.Spends, s)
	}
	d.table(res)
	return res, nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.opts.Out, format+"\n", args...) }

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
	name := demoName(i)
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
		P2P: p2p.Config{Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}, Log: log, ExtraOptions: d.extra}, Log: log,
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

// fund pays one output for each spend, and one more.
func (d *demo) fund(ctx context.Context, id string) error {
	d.say("\nThe wallet is funded:")
	for range d.opts.Spends + 1 {
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

// demoRecipient is an address of somebody outside, another one each round: a
// second payment to one is asked about.
func demoRecipient(round int) (string, error) {
	script := sha256.Sum256(fmt.Append(nil, "recipient ", round))
	return wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest) // P2WSH
}

// spend sends to somebody outside: the first node proposes, the next ones approve.
func (d *demo) spend(ctx context.Context, id string, round int) (DemoSpend, error) {
	var s DemoSpend
	to, err := demoRecipient(round)
	if err != nil {
		return s, fmt.Errorf("demo: %w", err)
	}
	author := round % len(d.nodes)
	begin := time.Now()
	p, err := d.nodes[author].Propose(ctx, id, api.Propose{
		To: []api.Recipient{{Address: to, Amount: 10_000_000 + int64(round)}}, FeeRate: 5, Note: fmt.Sprintf("spend %d", round+1),
	})
	if err != nil {
		return s, fmt.Errorf("demo: %s proposes: %w", d.names[author], err)
	}
	s.Latency.Propose = millis(begin)
	d.say("\n%s proposes to send 0.1 btc to %s, and signs first (proposal %.12s…).", d.names[author], to, p.Proposal)
	if err := d.approvals(ctx, p.Proposal, author, &s); err != nil {
		return s, err
	}
	if err := d.until(ctx, "the final transaction on every node", func(n *app.Node) (bool, error) {
		_, err := n.Tx(ctx, p.Proposal)
		return err == nil, notFinal(err)
	}); err != nil {
		return s, err
	}
	s.Latency.FinalEverywhere = millis(begin)
	if err := d.until(ctx, "the transaction in the mempool", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, p.Proposal)
		return x.Status == api.StatusBroadcast || x.Status == api.StatusConfirmed, err
	}); err != nil {
		return s, err
	}
	d.say("  final on every node, and broadcast; a block is mined")
	begin = time.Now()
	if _, err := d.chain.Mine(1, d.chain.FaucetScript()); err != nil {
		return s, fmt.Errorf("demo: mine: %w", err)
	}
	err = d.until(ctx, "the confirmation on every node", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, p.Proposal)
		return x.Status == api.StatusConfirmed, err
	})
	if err != nil {
		return s, err
	}
	s.Latency.Confirmed = millis(begin)
	s.Confirmed = true
	return d.compare(ctx, p.Proposal, s)
}

// approvals lets as many cosigners after the author approve as are needed.
func (d *demo) approvals(ctx context.Context, proposal string, author int, s *DemoSpend) error {
	begin := time.Now()
	for k := 1; k < d.opts.Threshold; k++ {
		i := (author + k) % len(d.nodes)
		n := d.nodes[i]
		if err := d.untilOn(ctx, n, "the proposal on "+d.names[i], func(n *app.Node) (bool, error) {
			_, err := n.Proposal(ctx, proposal)
			var missing *api.Error
			if errors.As(err, &missing) && missing.Kind == api.NotFound {
				err = nil
				return false, nil
			}
			return err == nil, err
		}); err != nil {
			return err
		}
		if _, err := n.Approve(ctx, proposal, api.Approve{}); err != nil {
			return fmt.Errorf("demo: %s approves: %w", d.names[i], err)
		}
		d.say("  %s checks it against its own view of the chain, and signs", d.names[i])
	}
	s.Latency.Approve = millis(begin)
	return nil
}

// compare holds the transaction of every node against that of the first.
func (d *demo) compare(ctx context.Context, proposal string, s DemoSpend) (DemoSpend, error) {
	s.Identical = true
	var first string
	for _, n := range d.nodes {
		tx, err := n.Tx(ctx, proposal)
		if err != nil {
			return s, err
		}
		if _, err := hex.DecodeString(tx.Hex); err != nil {
			return s, fmt.Errorf("demo: %w", err)
		}
		if first == "" {
			first, s.TxID, s.WTxID = tx.Hex, tx.TxID, tx.WTxID
		}
		s.Identical = s.Identical && tx.Hex == first
	}
	if !s.Identical {
		return s, errors.New("demo: the nodes hold different transactions")
	}
	d.say("  confirmed: all %d nodes hold the same bytes of transaction %s", len(d.nodes), s.TxID)
	return s, nil
}

func (d *demo) table(r DemoResult) {
	d.say("\n%-6s %-12s %12s %12s %18s %12s", "spend", "transaction", "propose", "approve", "final everywhere", "confirmed")
	for i, s := range r.Spends {
		l := s.Latency
		d.say("%-6d %.10s… %9.1f ms %9.1f ms %15.1f ms %9.1f ms", i+1, s.TxID, l.Propose, l.Approve, l.FinalEverywhere, l.Confirmed)
	}
}

func notFinal(err error) error {
	var e *api.Error
	if errors.As(err, &e) && (e.Code == "not_final" || e.Kind == api.NotFound) {
		return nil
	}
	return err
}

func millis(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
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
