package app

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/systemd"
)

// A service manager hears that the node is ready once it answers, that it lives, and that
// it stops; in this order.
func TestTheServiceManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	hear := func() string {
		t.Helper()
		if err := socket.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, err := socket.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	of := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
	manager, err := systemd.New(func(name string) string { return of[name] }, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir, c := bare(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, RunOptions{DataDir: dir, Config: c, Passphrase: []byte("p"), Log: slog.New(slog.DiscardHandler), Manager: manager})
	}()
	if got := hear(); got != "READY=1" {
		t.Fatalf("first %q", got)
	}
	client, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Status(ctx); err != nil {
		t.Errorf("it is ready and does not answer: %v", err)
	}
	if got := hear(); got != "WATCHDOG=1" {
		t.Fatalf("second %q", got)
	}
	stop()
	got := hear()
	for got == "WATCHDOG=1" {
		got = hear()
	}
	if got != "STOPPING=1" {
		t.Errorf("at the end %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
