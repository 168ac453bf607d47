package chaintest

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// Proxied is a Harness whose backend reaches its node through a Proxy.
type Proxied interface {
	Harness
	Proxy() *Proxy
}

// testFault has a deposit, a spend and a reorg happen while the way to the node
// is faulty. Afterwards nothing is missing and nothing is there that is not true.
func testFault(t *testing.T, h Harness, f Fault) {
	p, ok := h.(Proxied)
	if !ok {
		t.Skip("this backend reaches its chain without a network")
	}
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	base := s.chain[0] // a slow backend may have shown a block more by now
	first := must(h.Fund(k.PkScript(), btc))(t)
	s.reaches(must(h.Mine(7))(t)[6])
	s.confirmed(first)

	t.Cleanup(func() { p.Proxy().Set(Pass) })
	if f == Alter || blind(h) {
		// With new connections: on an old one a peer of the Bitcoin network may
		// be silent for minutes without being wrong.
		p.Proxy().Set(Cut)
	}
	p.Proxy().Set(f)
	must(h.Reorg(6))(t)
	second := must(h.Fund(k.PkScript(), btc/2))(t)
	must(h.Mine(2))(t)
	// Altered bytes may all be caught by the protocol between Bitcoin nodes.
	if f != Alter || !blind(h) {
		unwell(t, h)
	}
	var last chainhash.Hash
	for range 5 {
		last = must(h.Mine(1))(t)[0]
	}
	p.Proxy().Set(Pass)
	s.reaches(last)
	s.confirmed(second)
	if _, there := s.in[first.TxHash()]; !there {
		t.Error("the first deposit is gone")
	}
	well(t, h)
	s.adds(base)
}

// unwell waits until Health names a problem.
func unwell(t *testing.T, h Harness) {
	t.Helper()
	state(t, "Health names a problem", func() bool { return h.Chain().Health().Problem != "" })
	if got := h.Chain().Health(); got.Problem != "" && (got.Since.IsZero() || got.Synced || strings.ContainsAny(got.Problem, "\r\n")) {
		t.Errorf("health with a problem: %+v", got)
	}
}

// well waits until Health says that all is.
func well(t *testing.T, h Harness) {
	t.Helper()
	state(t, "Health says that all is well", func() bool {
		got := h.Chain().Health()
		return got.Problem == "" && got.Synced && got.Since.IsZero()
	})
}

func state(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !ok(); <-tick.C {
		if time.Since(start) > patience {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
