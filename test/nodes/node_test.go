package nodes

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// Everything that a node and a group can be asked, once: two are made, founded,
// funded, killed, started and stopped. The tests of whole nodes are the rest of
// this package's tests.
func TestWholeNodes(t *testing.T) {
	w, err := Open(t.Context(), Options{Name: "nodes", Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("group", func(t *testing.T) {
		var log, ended = &Log{}, 0
		a := w.New(t, Config{Name: "a", Settings: []string{"metrics.listen=127.0.0.1:0"}})
		b := w.New(t, Config{
			Name: "b", Dir: filepath.Join(w.TempDir(t, "b"), "here"), Backend: "neutrino",
			Through: []string{"env", "QUORATE_LOG_FORMAT=json"}, Stderr: log, OnEnd: func(*Process) { ended++ },
		})
		if a.PeerID == "" || a.PeerID == b.PeerID || filepath.Base(b.Dir) != "here" {
			t.Errorf("%q and %q in %s", a.PeerID, b.PeerID, b.Dir)
		}
		g := w.Found(t, 2, a.Start(), b.Start()).Fund(1_000_000, 2_000_000)
		if len(g.Ratified) != 2 || g.ID != b.Wallet().Wallet || len(a.Coins()) != 2 {
			t.Errorf("founded: %+v", g)
		}
		if got := a.Health().PeerID; got != a.PeerID {
			t.Errorf("%s calls itself %s", a.PeerID, got)
		}
		p := Ask[api.Proposed](a.Synced(), Pay(t, 500_000)...).Proposal
		b.Kill()
		b.Kill()
		if b.Running() || ended != 1 || b.Spent() <= 0 {
			t.Errorf("running: %v, ended %d times, %v", b.Running(), ended, b.Spent())
		}
		b.Start().Synced().Reaches(p, api.StatusPending)
		b.Run("approve", p).OK(t)
		w.Confirmed(t, p, a, b)
		if got := a.Status(strings.Repeat("0", 64)); got != "" {
			t.Errorf("nobody's proposal is %s", got)
		}
		if no := a.Run("proposal", "show", strings.Repeat("0", 64)); no.Status == 0 || no.Err == "" || !strings.Contains(no.Line, "proposal show") {
			t.Errorf("%+v", no)
		}
		a.Stop()
		b.Stop()
		if b.Log.String() != "" || !strings.Contains(log.String(), `"msg":"node is running"`) || !strings.Contains(a.Log.String(), "node is running") {
			t.Error("a log is elsewhere")
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(w.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", w.Dir, err)
	}
}

func TestPoll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	times := 0
	if !Poll(ctx, time.Millisecond, func() bool { times++; return times == 3 }) || times != 3 {
		t.Errorf("asked %d times", times)
	}
	cancel()
	if Poll(ctx, time.Hour, func() bool { return false }) {
		t.Error("it came true")
	}
}

func TestEnvironHidesWhatConfigures(t *testing.T) {
	t.Setenv("QUORATE_NETWORK", "mainnet")
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
	t.Setenv("QUORUM", "kept")
	env := Environ()
	if slices.ContainsFunc(env, func(e string) bool {
		return strings.HasPrefix(e, "QUORATE_") || strings.HasPrefix(e, "CREDENTIALS_")
	}) || !slices.Contains(env, "QUORUM=kept") {
		t.Errorf("%q", env)
	}
}
