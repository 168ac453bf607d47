package net_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorate/quorate/test/nodes"
)

// world is what all scenarios share: the program, and a Bitcoin node, which is
// outside of the networks that they spoil. Each has a network of its own, and
// they run beside each other, since they mostly wait.
var world struct {
	*nodes.World
	skip string // why nothing can run here

	sites atomic.Int64 // made so far: no two have one name
	mu    sync.Mutex
	rows  []string
}

// patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	if world.skip = missing(); world.skip != "" {
		os.Exit(m.Run())
	}
	code, err := with(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "network tests:", err)
		code = 1
	}
	os.Exit(code)
}

// missing says what is not here that the scenarios need.
func missing() string {
	if os.Geteuid() != 0 {
		return "network namespaces need root"
	}
	// A sandbox may have the device and not let it be opened.
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "there is no /dev/net/tun to open: " + err.Error()
	}
	_ = unix.Close(fd)
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool + " is not installed"
		}
	}
	ns := fmt.Sprintf("%s%d-try", nsPrefix, os.Getpid())
	for _, line := range [][]string{
		{"ip", "netns", "add", ns},
		{"ip", "netns", "exec", ns, "nft", "table ip try { chain in { type nat hook postrouting priority 100; masquerade fully-random; }; }"},
		{"ip", "netns", "exec", ns, "nft", "table ip loss { chain in { type filter hook prerouting priority 0; numgen random mod 100 < 5 drop; }; }"},
	} {
		out, failed := exec.Command(line[0], line[1:]...).CombinedOutput()
		if failed != nil && err == nil {
			err = fmt.Errorf("%s: %w: %s", strings.Join(line, " "), failed, bytes.TrimSpace(out))
		}
	}
	_ = exec.Command("ip", "netns", "del", ns).Run() // there is none if it could not be made
	if err != nil {
		return "network namespaces do not work here: " + err.Error()
	}
	return ""
}

func with(m *testing.M) (code int, err error) {
	if err := sweep(); err != nil {
		return 1, err
	}
	if world.World, err = nodes.Open(context.Background(), nodes.Options{Name: "net", Patience: patience}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	code = m.Run()
	return code, table()
}

// ready skips a scenario where it cannot run, and lets it run beside others.
func ready(t *testing.T) {
	t.Helper()
	possible(t)
	t.Parallel()
}

// possible skips a scenario where it cannot run.
func possible(t testing.TB) {
	t.Helper()
	if world.skip != "" {
		t.Skip(world.skip)
	}
}

// measured notes a figure for the table at the end.
func measured(t testing.TB, what, figure string) {
	t.Helper()
	t.Logf("%s: %s", what, figure)
	world.mu.Lock()
	defer world.mu.Unlock()
	world.rows = append(world.rows, fmt.Sprintf("%s\t%s\t%s", t.Name(), what, figure))
}

// took is measured with the time since a moment.
func took(t testing.TB, what string, since time.Time) {
	t.Helper()
	measured(t, what, time.Since(since).Round(10*time.Millisecond).String())
}

func table() error {
	if len(world.rows) == 0 {
		return nil
	}
	fmt.Printf("\n%v from site to site, %d Mbit/s\n", latency, bandwidth*8/1_000_000)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	slices.SortStableFunc(world.rows, func(a, b string) int {
		x, _, _ := strings.Cut(a, "\t")
		y, _, _ := strings.Cut(b, "\t")
		return strings.Compare(x, y)
	})
	for _, r := range world.rows {
		if _, err := fmt.Fprintln(w, r); err != nil {
			return err
		}
	}
	return w.Flush()
}
