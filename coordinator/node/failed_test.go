package node

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// spoiled lists two wallets: reading one of them panics, the other fails.
type spoiled struct {
	port.Store
	panics, fails journal.GroupID
}

func (s spoiled) Records(_ context.Context, g journal.GroupID, _ string) (map[string][]byte, error) {
	switch g {
	case s.panics:
		panic("index out of range")
	case s.fails:
		return nil, errors.New("it is damaged")
	}
	return map[string][]byte{recGroup + s.panics.String(): {1}, recGroup + s.fails.String(): {1}}, nil
}

// Whatever reading a wallet does, the node opens, and says which failed and why.
func TestOpenGoesOnWithoutAWalletThatFails(t *testing.T) {
	s := spoiled{panics: journal.GroupID{1}, fails: journal.GroupID{2}}
	n := New(t.Context(), Ports{Store: s, Clock: wallClock{}, Log: slog.New(slog.DiscardHandler)}, &group.Self{}, wallet.Regtest, "a")
	defer n.Close()
	if err := n.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := n.Failed()
	if len(f) != 2 || f[0].Group != s.panics || f[1].Group != s.fails {
		t.Fatalf("%+v", f)
	}
	if !strings.Contains(f[0].Err.Error(), "index out of range") || !strings.Contains(f[1].Err.Error(), "it is damaged") {
		t.Errorf("%v; %v", f[0].Err, f[1].Err)
	}
	if len(n.Wallets()) != 0 {
		t.Error("one of them runs")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a node that is stopped while it opens: %v", err)
	}
}

func (spoiled) TrimNotices(context.Context, port.NoticeLimits) error { return nil }
