package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

const (
	cosigners  = 7
	threshold  = 4
	firstLight = 4 // the nodes from here on are light clients
	walletName = nodes.WalletName
)

// soak is one run.
type soak struct {
	t      testing.TB
	o      options
	began  time.Time
	beat   time.Duration // what all pauses are multiples of
	world  *nodes.World
	nodes  []*node
	wallet string // id
	ledger *ledger
	report *report

	// links is since when each node sees each other connected; see connected.
	linksMu sync.Mutex
	links   map[[2]string]time.Time

	restarts, kills, cuts, stalls, reorgs, blocks atomic.Int64
}

// newSoak starts the Bitcoin node and makes the data directories.
func newSoak(t testing.TB, o options) *soak {
	t.Helper()
	s := &soak{
		t: t, o: o, began: time.Now(), ledger: newLedger(), report: newReport(),
		links: map[[2]string]time.Time{},
		beat:  min(max(o.long/60, 700*time.Millisecond), 12*time.Second),
	}
	var err error
	s.world, err = nodes.Open(t.Context(), nodes.Options{Dir: o.dir, Binary: o.binary, Coins: 50, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.world.Close(); err != nil {
			t.Errorf("stop btcd: %v", err)
		}
	})
	for i := range cosigners {
		n := s.initialize(i)
		s.nodes = append(s.nodes, n)
		t.Cleanup(func() { n.kill() })
	}
	return s
}

// fault notes what must not be. The run goes on.
func (s *soak) fault(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	s.report.fault(what)
	s.say("FAULT: %s", what)
}

func (s *soak) say(format string, args ...any) {
	fmt.Printf("%7s  %s\n", time.Since(s.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// eventually polls until a condition holds, and fails the run if it does not.
func (s *soak) eventually(what string, holds func() bool) {
	s.t.Helper()
	if !s.within(holds) {
		s.t.Fatalf("not within %v: %s", patience, what)
	}
}

func (s *soak) within(holds func() bool) bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return nodes.Poll(ctx, 200*time.Millisecond, holds)
}

// begin starts the nodes, holds the ceremony, and funds the wallet.
func (s *soak) begin() {
	s.t.Helper()
	ctx := s.t.Context()
	var members []nodes.Cosigner
	for _, n := range s.nodes {
		if !n.start() {
			s.t.Fatalf("%s did not start", n.Name)
		}
		members = append(members, nodes.Cosigner{Name: n.Name, Member: n.Client})
	}
	s.wallet = nodes.Ceremony(s.t, patience, walletName, threshold, members...).Wallet.Wallet
	for _, n := range s.nodes {
		n.Synced()
		for range 2 {
			s.lease(ctx, n, rand.New(rand.NewPCG(s.o.seed, 99)), true)
		}
	}
	s.mine(1)
	s.all("has coins", func(w api.Wallet) bool { return w.Balance.Spendable > 0 })
	s.say("%d of %d, seed %d, built from %s; cuts by nft: %v; data in %s", threshold, cosigners, s.o.seed, s.o.commit, s.o.cuts, s.o.dir)
}

// all waits until something holds of the wallet on every node.
func (s *soak) all(what string, holds func(api.Wallet) bool) {
	s.t.Helper()
	for _, n := range s.nodes {
		s.eventually(n.Name+" "+what, func() bool {
			w, err := n.Client.Wallet(s.t.Context(), s.wallet)
			return err == nil && holds(w)
		})
	}
}

func (s *soak) mine(blocks int) {
	if _, err := s.world.Bitcoin.Mine(blocks); err != nil {
		s.fault("mine: %v", err)
	}
	s.blocks.Add(int64(blocks))
}

// fund pays to an address from the faucet.
func (s *soak) fund(address string, sat int64) {
	if err := s.world.Deposit(address, sat); err != nil {
		s.fault("fund %s: %v", address, err)
		return
	}
	s.report.count("deposits")
}

// torment lets everybody act, and everything go wrong, until the time is over
// or somebody interrupts it.
func (s *soak) torment() {
	ctx, stop := signal.NotifyContext(s.t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, s.o.long)
	defer cancel()
	var all sync.WaitGroup
	stream := uint64(0)
	run := func(f func(context.Context, *rand.Rand)) {
		stream++
		r := rand.New(rand.NewPCG(s.o.seed, stream))
		all.Go(func() { f(ctx, r) })
	}
	for _, n := range s.nodes {
		run(func(ctx context.Context, r *rand.Rand) { s.user(ctx, n, r) })
	}
	run(s.miner)
	run(s.reorger)
	run(s.killer)
	run(s.staller)
	if s.o.cuts {
		run(s.cutter)
	}
	all.Go(func() { s.watch(ctx) })
	all.Go(func() { s.sample(ctx) })
	all.Wait()
	s.say("the faults end; all nodes up")
	for _, n := range s.nodes {
		if !n.start() {
			s.fault("%s did not start at the end", n.Name)
		}
	}
}
