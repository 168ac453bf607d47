package e2e_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// A node is asked to pay when a time has come. It does once, and neither a copy of it,
// made before, nor itself, restored from a backup of before, pays again.
func TestAScheduleOfARestoredAndOfACopiedNodePaysNothingTwice(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(1_000_000, 1_000_000, 1_000_000)
	a, c := g.Nodes[0], g.Nodes[2]
	ctx := context.Background()
	due := time.Now().Add(9 * time.Second)
	made := ask[api.Schedule](c, pay(t, 150_000, "--note", "rent", "--not-before", due.UTC().Format(time.RFC3339))...)
	if made.State != "waits" || made.Every != "" || *made.To[0].Amount != 150_000 {
		t.Fatalf("scheduled: %+v", made)
	}
	file := filepath.Join(t.TempDir(), "c.age")
	saved := ask[ops.BackupResult](c, "backup", file, "--passphrase-file", world.PassFile)
	c.Kill()
	if err := os.Remove(filepath.Join(c.Dir, "api.sock")); err != nil { // a killed node leaves it, and no copy has it
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	copyDir(t, copied, c.Dir)
	c.Start().Synced()
	schedules := func() []api.Schedule {
		t.Helper()
		all, err := c.Client.Schedules(ctx, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	proposals := func() []api.Proposal {
		t.Helper()
		all, err := a.Client.Proposals(ctx, g.ID, api.ProposalQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return all.Items
	}
	if n := len(proposals()); n != 0 || len(schedules()) != 1 {
		t.Fatalf("%d proposals before it is due, and %d schedules", n, len(schedules()))
	}
	world.Eventually(t, "what is due is proposed", func() bool {
		if time.Now().Before(due) {
			return false
		}
		world.Mine(t, 1) // the chain's time has to come as well
		all := proposals()
		return len(all) > 0 && len(all[0].Approvals) > 0
	})
	p := proposals()[0]
	if len(p.Approvals) != 1 || p.Author.PeerID == nil || *p.Author.PeerID != c.PeerID || p.Note != "rent" || !p.Scheduled {
		t.Errorf("proposed: %+v", p)
	}
	a.Run("approve", p.Proposal).OK(t)
	world.Confirmed(t, p.Proposal, g.Nodes...)

	c.Kill()
	replaced(t, c.Dir, copied)
	c.Start().Synced()
	world.Eventually(t, "the copy learns that it is paid", func() bool { return len(schedules()) == 0 })
	if n := len(proposals()); n != 1 {
		t.Errorf("%d proposals after the copy ran", n)
	}

	c.Kill()
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}
	ask[ops.RestoreResult](c, "restore", file, "--passphrase-file", world.PassFile, "--expect", saved.PeerID)
	c.Start().Synced()
	if x := schedules(); len(x) != 1 || x[0].State != "held" {
		t.Fatalf("after the restore: %+v", x)
	}
	heardAll(c)
	if x := schedules(); len(x) != 1 || x[0].State != "held" {
		t.Fatalf("once all were heard: %+v", x)
	}
	ask[api.Schedule](c, "recurring", "start", made.Schedule[:8])
	world.Eventually(t, "the restored node learns that it is paid", func() bool { return len(schedules()) == 0 })
	if n := len(proposals()); n != 1 {
		t.Errorf("%d proposals after the restore", n)
	}
	noEquivocation(t, g.Nodes...)
}

func replaced(t *testing.T, dir, by string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	copyDir(t, dir, by)
}

// copyDir copies a data directory, for nobody else's eyes.
func copyDir(t *testing.T, to, from string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		if err == nil {
			return os.Chmod(path, 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
