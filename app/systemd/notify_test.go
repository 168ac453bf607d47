package systemd

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// manager is a socket as a service manager holds it.
func manager(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "n")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, path
}

func hears(t *testing.T, c *net.UnixConn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err != nil || string(b[:n]) != want {
		t.Fatalf("heard %q, %v; want %q", b[:n], err, want)
	}
}

func nothingMore(t *testing.T, c *net.UnixConn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %q, %v", b[:n], err)
	}
}

func env(of map[string]string) func(string) string {
	return func(name string) string { return of[name] }
}

func TestStatesAreTold(t *testing.T) {
	c, path := manager(t)
	n, err := New(env(map[string]string{"NOTIFY_SOCKET": path}), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{Ready, Stopping} {
		if err := n.Tell(state); err != nil {
			t.Fatal(err)
		}
		hears(t, c, state)
	}
	n.Watch(t.Context(), func(time.Duration) bool { t.Error("asked, though nobody watches"); return true })
	nothingMore(t, c)
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := n.Tell(Ready); err == nil {
		t.Error("told nobody, and no error")
	}
}

// The watchdog hears of a program while it lives, and nothing of one that hangs.
func TestTheWatchdogHearsOnlyOfWhatLives(t *testing.T) {
	c, path := manager(t)
	n, err := New(env(map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "4000", "WATCHDOG_PID": "7"}), 7)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	asked, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		n.Watch(ctx, func(within time.Duration) bool {
			if within != 2*time.Millisecond {
				t.Errorf("asked of %v", within)
			}
			if asked++; asked == 6 {
				stop()
			}
			return asked <= 3
		})
	}()
	for range 3 {
		hears(t, c, "WATCHDOG=1")
	}
	<-done
	nothingMore(t, c)
	if asked < 6 {
		t.Errorf("asked %d times", asked)
	}
}

func TestNobodyIsTold(t *testing.T) {
	n, err := New(env(nil), 7)
	if n != nil || err != nil {
		t.Fatal(n, err)
	}
	n.Watch(t.Context(), nil)
	if err := errors.Join(n.Tell(Ready), n.Close()); err != nil {
		t.Error(err)
	}
}

func TestTheEnvironmentIsChecked(t *testing.T) {
	_, path := manager(t)
	for name, of := range map[string]map[string]string{
		"a relative path": {"NOTIFY_SOCKET": "run/notify"},
		"another family":  {"NOTIFY_SOCKET": "vsock:2:1"},
		"nobody there":    {"NOTIFY_SOCKET": path + "x"},
		"no number":       {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "soon"},
		"no time":         {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "0"},
		"too long":        {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "9223372036854775807"},
	} {
		if n, err := New(env(of), 7); err == nil || n != nil {
			t.Errorf("%s: %v, %v", name, n, err)
		}
	}
	n, err := New(env(map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "4000", "WATCHDOG_PID": "8"}), 7)
	if err != nil || n.watchdog != 0 {
		t.Errorf("another's watchdog: %+v, %v", n, err)
	}
}
