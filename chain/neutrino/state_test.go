package neutrino

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/wallet"
)

func TestProgress(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	s := state{target: 1000, headers: 400, height: 0, samples: []sample{
		{at, 200, 0}, {at.Add(time.Second), 300, 0}, {at.Add(2 * time.Second), 400, 0},
	}}
	if stage, height, rate, left := s.progress(); stage != "block headers" || height != 400 || rate != 100 || left != 6*time.Second {
		t.Errorf("%s %d %v %v", stage, height, rate, left)
	}
	s.headers, s.height = 1000, 500
	s.samples = []sample{{at, 1000, 0}, {at.Add(5 * time.Second), 1000, 500}}
	if stage, height, rate, left := s.progress(); stage != "filter headers" || height != 500 || rate != 100 || left != 5*time.Second {
		t.Errorf("%s %d %v %v", stage, height, rate, left)
	}
	s.samples = s.samples[1:]
	if _, _, rate, left := s.progress(); rate != 0 || left != 0 {
		t.Errorf("out of one sample: %v %v", rate, left)
	}
}

// One peer of several cannot make it look as if there were more to come.
func TestTargetIsTheMedian(t *testing.T) {
	for want, told := range map[int32][]int32{0: nil, 7: {7}, 100: {100, 2_000_000_000}, 101: {101, 100, 2_000_000_000}} {
		if got := median(told); got != want {
			t.Errorf("of %v: %d, want %d", told, got, want)
		}
	}
}

func TestPeersNeeded(t *testing.T) {
	for network, want := range map[wallet.Network]int{wallet.Mainnet: 2, wallet.Testnet4: 2, wallet.Signet: 2, wallet.Regtest: 1} {
		if got := (Config{Network: network}).need(); got != want {
			t.Errorf("on %s: %d, want %d", network, got, want)
		}
	}
}

// With fewer peers than are needed nothing is streamed; followers say why.
func TestOnePeerIsNotBelieved(t *testing.T) {
	b := &Backend{cfg: Config{Network: wallet.Signet}}
	b.now.peers = 1
	if _, _, err := (source{b}).Tip(t.Context()); err == nil || !strings.Contains(err.Error(), "2 are needed") {
		t.Errorf("with one peer: %v", err)
	}
	b.now.peers = 2
	if _, _, err := (source{b}).Tip(t.Context()); err == nil || strings.Contains(err.Error(), "needed") {
		t.Errorf("with two peers: %v", err)
	}
}

// A lock that another holds is waited for and no reason to throw files away.
func TestLockedHeadersAreNotDamaged(t *testing.T) {
	dir := t.TempDir()
	b := &Backend{cfg: Config{Dir: dir, Network: wallet.Regtest, Log: slog.New(slog.DiscardHandler)}, params: wallet.Regtest.Params(), dial: newDialer(t.Context(), wallet.Regtest.Params().Net), ctx: t.Context()}
	c, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := b.open(); err == nil {
		t.Error("opened twice", second.close())
	}
	if after, err := os.Stat(filepath.Join(dir, dbName)); err != nil || !os.SameFile(before, after) {
		t.Errorf("the headers were thrown away: %v", err)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
}

// Connections that are taken and dropped at once are not begun without end.
func TestDialsAreLimited(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	d := newDialer(ctx, wallet.Regtest.Params().Net)
	for range dialBurst {
		c, err := d.dial(l.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if d.limit.Tokens() >= 1 {
		t.Fatalf("%v more may be begun at once", d.limit.Tokens())
	}
	cancel()
	if _, err := d.dial(l.Addr()); err == nil {
		t.Error("a connection was begun that had to wait")
	}
}
