package service

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// estimator is a chain that says one thing of fees.
type estimator struct {
	port.Chain
	rate   wallet.FeeRate
	err    error
	target int
}

func (e *estimator) FeeRate(_ context.Context, target int) (wallet.FeeRate, error) {
	e.target = target
	return e.rate, e.err
}

func TestFeeRate(t *testing.T) {
	unknown := "the fee rate is unknown: the chain backend has no estimate"
	for _, c := range []struct {
		name    string
		network wallet.Network
		says    estimator
		asked   api.Propose
		want    wallet.FeeRate
		refused string
	}{
		{"given", wallet.Mainnet, estimator{err: errors.New("not asked")}, api.Propose{FeeRate: 0.5}, 500, ""},
		{"estimated", wallet.Mainnet, estimator{rate: 12_345}, api.Propose{}, 12_345, ""},
		{"least", wallet.Mainnet, estimator{rate: 1000}, api.Propose{}, 1000, ""},
		{"most", wallet.Mainnet, estimator{rate: 1_000_000}, api.Propose{}, 1_000_000, ""},
		{"low", wallet.Mainnet, estimator{rate: 999}, api.Propose{}, 1000, ""},
		{"nothing", wallet.Mainnet, estimator{rate: 0}, api.Propose{}, 0, "the Bitcoin node's estimate of 0 sat/vB is out of bounds"},
		{"too high", wallet.Mainnet, estimator{rate: 1_000_001}, api.Propose{}, 0, "the Bitcoin node's estimate of 1000.001 sat/vB is out of bounds"},
		{"too high on regtest", wallet.Regtest, estimator{rate: 5_000_000}, api.Propose{}, 0, "the Bitcoin node's estimate of 5000 sat/vB is out of bounds"},
		{"none", wallet.Mainnet, estimator{err: fmt.Errorf("ask: %w", port.ErrNoEstimate)}, api.Propose{}, 0, unknown},
		{"unsupported", wallet.Signet, estimator{err: port.ErrUnsupported}, api.Propose{}, 0, unknown},
		{"not reachable", wallet.Testnet4, estimator{err: errors.New("connection refused")}, api.Propose{}, 0, "the fee rate is unknown: connection refused"},
		{"none on regtest", wallet.Regtest, estimator{err: port.ErrNoEstimate}, api.Propose{}, regtestFeeRate, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &Node{parts: Parts{Network: c.network, Chain: &c.says}}
			got, err := n.feeRate(t.Context(), c.asked)
			if c.refused == "" {
				if err != nil || got != c.want {
					t.Fatalf("%v, %v", got, err)
				}
				return
			}
			var e *api.Error
			if !errors.As(err, &e) || e.Kind.ExitStatus() != 4 || e.Code != refusal.FeeUnknown || e.Message != c.refused || e.Hint != "give --fee-rate" {
				t.Fatalf("%v, %#v", got, err)
			}
		})
	}
	e := &estimator{rate: 2000}
	n := &Node{parts: Parts{Network: wallet.Mainnet, Chain: e}}
	for asked, want := range map[int]int{0: defaultTarget, 144: 144} {
		if _, err := n.feeRate(t.Context(), api.Propose{TargetBlocks: asked}); err != nil || e.target != want {
			t.Errorf("target %d: asked for %d, %v", asked, e.target, err)
		}
	}
}

// A request that was answered before is answered again, whatever a fee is now.
func TestARepeatNeedsNoFee(t *testing.T) {
	self, m, disk := foundedOn(t, "treasury")
	disk.Kept["request/invoice-17"] = make([]byte, 32)
	m, err := coordinator.Load(t.Context(), disk, self, m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	a := acting(t, m)
	n := &Node{parts: Parts{Network: wallet.Mainnet, Chain: &estimator{err: port.ErrNoEstimate}}}
	if _, err := n.command(t.Context(), a, api.Propose{RequestID: "invoice-17"}); err != nil {
		t.Errorf("a repeat: %v", err)
	}
	for _, id := range []string{"", "invoice-18"} {
		if _, err := n.command(t.Context(), a, api.Propose{RequestID: id}); codeOf(t, err) != refusal.FeeUnknown {
			t.Errorf("request id %q: %v", id, err)
		}
	}
}

func TestHistoryCursor(t *testing.T) {
	const id = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	p, err := parsePlace("120-" + id)
	if err != nil || p.Height != 120 || p.TxID.String() != id {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := parsePlace(""); p != nil || err != nil {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, bad := range []string{"x", "120", "-1-" + id, "120-" + id[2:], "120-" + id + "00", "99999999999-" + id, "1-" + id[1:] + "g", "-" + id} {
		var e *api.Error
		if _, err := parsePlace(bad); !errors.As(err, &e) || e.Code != "bad_cursor" || e.Kind.ExitStatus() != 2 {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
