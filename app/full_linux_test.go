package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// A full disk is an alarm at once, in status, in the check and in what doctor finds, and
// is over once there is room: nothing has to be written for it.
func TestAFullDiskIsAnAlarm(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no file system can be mounted")
	}
	made, c := bare(t)
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("mount does not work here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
	dir := filepath.Join(disk, "n")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(made, KeystoreName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, KeystoreName), b, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	client, log, stop := running(t, dir, c)
	status := func() api.Status {
		t.Helper()
		s, err := client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); len(s.Alarms) != 0 {
		t.Errorf("before: %+v", s.Alarms)
	}
	fill := filepath.Join(disk, "fill")
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		_, err = f.Write(make([]byte, 1<<20))
	}
	_ = f.Close()
	s := status()
	if len(s.Alarms) != 1 || s.Alarms[0].Code != AlarmDiskFull || !strings.Contains(s.Alarms[0].Message, "64 MiB") {
		t.Errorf("on a full disk: %+v", s.Alarms)
	}
	if r := s.Check(); len(r) != 1 || r[0].Code != AlarmDiskFull {
		t.Errorf("check: %+v", r)
	}
	x, err := client.Doctor(ctx)
	if err != nil || len(x.Items) != 1 || x.Items[0].Code != AlarmDiskFull {
		t.Errorf("doctor: %+v %v", x, err)
	}
	// What is written is refused, and says how much is free and how much is needed.
	if _, err := client.CreateWallet(ctx, api.CreateWallet{Name: "w", Threshold: 1, Cosigners: 1}); err == nil || api.AsError(err).Code != "disk_full" || !strings.Contains(err.Error(), "MiB are needed") {
		t.Errorf("a wallet: %v", err)
	}
	said := func(what string) {
		t.Helper()
		deadline := time.After(time.Minute)
		for !strings.Contains(log.String(), what) {
			select {
			case <-deadline:
				t.Fatalf("the log does not say %q:\n%s", what, log.String())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	said("level=WARN msg=alarm kind=disk_full")
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if s := status(); len(s.Alarms) != 0 {
		t.Errorf("with room again: %+v", s.Alarms)
	}
	said(`level=INFO msg="alarm over" kind=disk_full`)
	stop()
}
