// Package systemd tells a service manager how a program is, by the protocol of
// sd_notify(3): datagrams of lines NAME=VALUE to a socket that it names.
package systemd

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Notifier tells the service manager. A nil Notifier tells nobody.
type Notifier struct {
	conn     *net.UnixConn
	watchdog time.Duration
}

// States of a program.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	watchdog = "WATCHDOG=1"
)

// New returns the notifier to the service manager that the environment names, for the
// process with this number; nil where it names none.
func New(getenv func(string) string, pid int) (*Notifier, error) {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, nil
	}
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET is %.100q, which is no local socket", name)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	n := &Notifier{conn: conn}
	if of := getenv("WATCHDOG_PID"); of != "" && of != strconv.Itoa(pid) {
		return n, nil // it is meant for another process
	}
	if text := getenv("WATCHDOG_USEC"); text != "" {
		us, err := strconv.ParseInt(text, 10, 64)
		if err != nil || us <= 0 || us > int64(maxWatchdog/time.Microsecond) {
			_ = conn.Close()
			return nil, fmt.Errorf("WATCHDOG_USEC is %.40q, which is no time", text)
		}
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n, nil
}

// maxWatchdog is the longest time that counts as one.
const maxWatchdog = 365 * 24 * time.Hour

// Tell says that the program is in a state.
func (n *Notifier) Tell(state string) error {
	if n == nil {
		return nil
	}
	if _, err := n.conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("tell the service manager %s: %w", state, err)
	}
	return nil
}

// Close ends what New began.
func (n *Notifier) Close() error {
	if n == nil {
		return nil
	}
	return n.conn.Close()
}

// Watch says from time to time that the program lives, until ctx ends: only while alive
// says so of half the time that the service manager waits. It returns at once where that
// watches nothing.
func (n *Notifier) Watch(ctx context.Context, alive func(within time.Duration) bool) {
	if n == nil || n.watchdog == 0 {
		return
	}
	tick := time.NewTicker(max(n.watchdog/4, 1))
	defer tick.Stop()
	for {
		if alive(n.watchdog / 2) {
			// The next one may get through; where none does, the manager ends it.
			_ = n.Tell(watchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
