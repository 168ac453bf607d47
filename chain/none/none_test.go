package none_test

import (
	"context"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/chain/none"
	"github.com/quorate/quorate/coordinator/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKnowsNothing(t *testing.T) {
	var b none.Backend
	if _, err := b.Tip(t.Context()); !errors.Is(err, port.ErrUnsupported) {
		t.Errorf("Tip: got %v", err)
	}
	if err := b.TestAccept(t.Context(), wire.NewMsgTx(2)); !errors.Is(err, port.ErrUnsupported) {
		t.Errorf("TestAccept: got %v", err)
	}
	if _, err := b.Broadcast(t.Context(), wire.NewMsgTx(2)); !errors.Is(err, port.ErrUnsupported) {
		t.Errorf("Broadcast: got %v", err)
	}
	if _, err := b.FeeRate(t.Context(), 6); !errors.Is(err, port.ErrNoEstimate) {
		t.Errorf("FeeRate: got %v", err)
	}
	if h := b.Health(); h.Problem == "" || h.Synced {
		t.Errorf("health: %+v", h)
	}
}

func TestFollowerEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	byContext, err := none.Backend{}.Follow(ctx, nil, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	byClose, err := none.Backend{}.Follow(ctx, nil, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := byClose.Watch(ctx, [][]byte{{1}}, 0); err != nil {
		t.Errorf("Watch: %v", err)
	}
	for range 2 {
		if err := byClose.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, open := <-byClose.Notices(); open {
		t.Error("a notice came")
	}
	cancel()
	if _, open := <-byContext.Notices(); open {
		t.Error("a notice came")
	}
	if err := byContext.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := (none.Backend{}).Follow(ctx, nil, 0, nil); err == nil {
		t.Error("Follow with an ended context returned nil")
	}
}
