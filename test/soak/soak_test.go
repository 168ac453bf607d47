package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/wallet"
)

const (
	cosigners  = 7
	threshold  = 4
	firstLight = 4 // the nodes from here on are light clients
	walletName = "treasury"
)

// soak is one run.
type soak struct {
	t        testing.TB
	o        options
	began    time.Time
	beat     time.Duration // what all pauses are multiples of
	bitcoin  *btcd.Node
	passFile string
	rpcFile  string
	nodes    []*node
	wallet   string // id
	ledger   *ledger
	report   *report
	commands chan func()

	// links is since when each node sees each other connected; see connected.
	linksMu sync.Mutex
	links   map[[2]string]time.Time

	restarts, kills, cuts, stalls, reorgs, blocks atomic.Int64
}

// newSoak starts the Bitcoin node and makes the data directories.
func newSoak(t testing.TB, o options) *soak {
	t.Helper()
	s := &soak{
		t: t, o: o, began: time.Now(), ledger: newLedger(), report: newReport(), commands: make(chan func()),
		links: map[[2]string]time.Time{},
		beat:  min(max(o.long/60, 700*time.Millisecond), 12*time.Second),
	}
	go s.spawner()
	t.Cleanup(func() { close(s.commands) })
	s.passFile, s.rpcFile = filepath.Join(o.dir, "passphrase"), filepath.Join(o.dir, "rpc-password")
	bitcoin := filepath.Join(o.dir, "bitcoin")
	for _, err := range []error{
		os.WriteFile(s.passFile, []byte("correct horse battery staple\n"), 0o600),
		os.WriteFile(s.rpcFile, []byte("regtest\n"), 0o600),
		os.Mkdir(bitcoin, 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.bitcoin, err = btcd.New(t.Context(), bitcoin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.bitcoin.Kill(); err != nil {
			t.Errorf("stop btcd: %v", err)
		}
	})
	if _, err := s.bitcoin.Mine(regtest.Maturity + 50); err != nil {
		t.Fatal(err)
	}
	for i := range cosigners {
		n := s.initialize(i)
		s.nodes = append(s.nodes, n)
		t.Cleanup(func() { n.kill(); n.client.Close() })
	}
	return s
}

// spawner starts processes from one thread that lasts: the kernel kills them
// when the thread that started them ends.
func (s *soak) spawner() {
	runtime.LockOSThread()
	for f := range s.commands {
		f()
	}
}

func (s *soak) spawn(cmd *exec.Cmd) error {
	err := make(chan error)
	s.commands <- func() { err <- cmd.Start() }
	return <-err
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
	for !holds() {
		if !pause(ctx, 200*time.Millisecond) {
			return false
		}
	}
	return true
}

// begin starts the nodes, holds the ceremony, and funds the wallet.
func (s *soak) begin() {
	s.t.Helper()
	ctx := s.t.Context()
	for _, n := range s.nodes {
		if !n.start() {
			s.t.Fatalf("%s did not start", n.name)
		}
		st, err := n.client.Status(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		n.peerID = st.PeerID
	}
	made, err := s.nodes[0].client.CreateWallet(ctx, api.CreateWallet{Name: walletName, Threshold: threshold, Cosigners: cosigners})
	if err != nil {
		s.t.Fatal(err)
	}
	s.wallet = made.Wallet
	for i, invite := range made.Invites {
		if _, err := s.nodes[i+1].client.JoinWallet(ctx, api.JoinWallet{Invite: invite, Wait: true}); err != nil {
			s.t.Fatal(err)
		}
	}
	words := ""
	s.all("shows the words", func(w api.Wallet) bool {
		if w.Words != nil && words == "" {
			words = *w.Words
		}
		return w.Words != nil && *w.Words == words
	})
	for _, n := range s.nodes {
		if _, err := n.client.RatifyWallet(ctx, s.wallet, api.RatifyWallet{Words: words}); err != nil {
			s.t.Fatal(err)
		}
	}
	s.all("is active", func(w api.Wallet) bool { return w.State == "active" })
	for _, n := range s.nodes {
		s.eventually(n.name+" is synced", func() bool {
			st, err := n.client.Status(ctx)
			return err == nil && st.Chain.Synced
		})
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
		s.eventually(n.name+" "+what, func() bool {
			w, err := n.client.Wallet(s.t.Context(), s.wallet)
			return err == nil && holds(w)
		})
	}
}

func (s *soak) mine(blocks int) {
	if _, err := s.bitcoin.Mine(blocks); err != nil {
		s.fault("mine: %v", err)
	}
	s.blocks.Add(int64(blocks))
}

// fund pays to an address from the faucet.
func (s *soak) fund(address string, sat int64) {
	script, err := wallet.ParseAddress(address, wallet.Regtest)
	if err == nil {
		_, err = s.bitcoin.Fund(script, sat)
	}
	if err != nil {
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
			s.fault("%s did not start at the end", n.name)
		}
	}
}
