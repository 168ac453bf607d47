package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// listenRetry is how often an address that is not listened on is tried again: that
// of a VPN may come after the node.
const listenRetry = 30 * time.Second

// ListenError says which of the addresses to listen on was not taken, and why.
type ListenError struct {
	Addr string
	Err  error
}

// Error implements error.
func (e *ListenError) Error() string { return fmt.Sprintf("listen on %s: %v", e.Addr, e.Err) }

// Unwrap gives the reason.
func (e *ListenError) Unwrap() error { return e.Err }

// listeners holds what is listened on against what was asked for. The library takes
// one address of many for a success.
type listeners struct {
	net   network.Network
	log   *slog.Logger
	begin func(ma.Multiaddr) error // to listen on an address

	mu    sync.Mutex
	asked []*wanted
}

// wanted is an address to listen on, and what became of it.
type wanted struct {
	addr ma.Multiaddr
	got  ma.Multiaddr // what is listened on for it
	last ma.Multiaddr // where its port is 0: the one of last time
	err  error        // why it is not listened on
}

func newListeners(n network.Network, log *slog.Logger) *listeners {
	l := &listeners{net: n, log: log}
	l.begin = func(a ma.Multiaddr) error {
		if err := free(a); err != nil {
			return err
		}
		if one, ok := n.(interface{ AddListenAddr(ma.Multiaddr) error }); ok {
			return one.AddListenAddr(a) // Listen does not wrap what went wrong
		}
		return n.Listen(a)
	}
	return l
}

// open listens on every address, with the ports of last time where the port is 0. An
// address that cannot be taken is a *ListenError, but for two kinds, as long as
// another is listened on: one that this machine does not have now is tried again,
// and "every IPv6 address" of a machine without IPv6 is none.
func (l *listeners) open(addrs, before []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range addrs {
		a, err := ma.NewMultiaddr(t)
		if err != nil {
			return &ListenError{t, err}
		}
		if !slices.ContainsFunc(l.asked, func(w *wanted) bool { return w.addr.Equal(a) && portOf(a) != "0" }) {
			l.asked = append(l.asked, &wanted{addr: a})
		}
	}
	// What has a port of its own goes first: none of those is chosen for a port of 0.
	slices.SortStableFunc(l.asked, func(a, b *wanted) int { return chosen(a) - chosen(b) })
	l.remember(before)
	var first error
	without6 := false
	for _, w := range l.asked {
		if l.try(w, true); w.err == nil {
			continue
		}
		fail := &ListenError{w.addr.String(), w.err}
		if first == nil {
			first = fail
		}
		switch {
		case noIPv6(w):
			without6 = true
		case !errors.Is(w.err, syscall.EADDRNOTAVAIL):
			return fail
		}
	}
	if first != nil && !slices.ContainsFunc(l.asked, func(w *wanted) bool { return w.got != nil }) {
		return first
	}
	if without6 {
		l.log.Info("this machine has no IPv6: the node listens on IPv4 only")
	}
	for _, w := range l.asked {
		if w.err != nil && !noIPv6(w) {
			l.log.Warn("an address of `listen` is not one of this machine now; it is tried again", "address", w.addr.String(), "error", w.err)
		}
	}
	return nil
}

// remember gives each address with a port of 0 the one that it had.
func (l *listeners) remember(before []string) {
	left := slices.Clone(before)
	for _, w := range l.asked {
		if chosen(w) == 0 {
			continue
		}
		for n, t := range left {
			a, err := ma.NewMultiaddr(t)
			if err == nil && portOf(a) != "0" && withPort(a, "0").Equal(w.addr) {
				w.last, left = a, slices.Delete(left, n, n+1)
				break
			}
		}
	}
}

// chosen is 1 for an address whose port is chosen, and otherwise 0.
func chosen(w *wanted) int {
	if portOf(w.addr) == "0" {
		return 1
	}
	return 0
}

// try listens on one address; where its port is 0 and the one of last time is taken,
// on another, if it may.
func (l *listeners) try(w *wanted, another bool) {
	if w.last != nil {
		w.got, w.err = l.listen(w.last)
		if !errors.Is(w.err, syscall.EADDRINUSE) || !another {
			return
		}
		l.log.Warn("the port of last time is taken; another is chosen, and others have to learn of it", "address", w.last.String(), "error", w.err)
	}
	if w.got, w.err = l.listen(w.addr); w.err == nil && chosen(w) == 1 {
		w.last = w.got
	}
}

func (l *listeners) listen(a ma.Multiaddr) (ma.Multiaddr, error) {
	before := l.net.ListenAddresses()
	if err := l.begin(a); err != nil {
		return nil, err
	}
	for _, now := range l.net.ListenAddresses() {
		if !slices.ContainsFunc(before, now.Equal) {
			return now, nil
		}
	}
	return a, nil
}

// again tries those that are not listened on, and sees which no longer are.
func (l *listeners) again() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.net.ListenAddresses()
	for _, w := range l.asked {
		if w.got != nil && slices.ContainsFunc(now, w.got.Equal) {
			continue
		}
		if w.got != nil {
			w.got, w.err = nil, errors.New("the listener ended")
			l.log.Warn("an address of `listen` is no longer listened on; it is tried again", "address", w.addr.String())
		}
		// The port stays: the others know it. IPv6 may come later, as that of a VPN does.
		if l.try(w, false); w.err == nil {
			l.log.Info("an address of `listen` is listened on now", "address", w.got.String())
		}
	}
}

// run tries again from time to time.
func (l *listeners) run(ctx context.Context) {
	tick := time.NewTicker(listenRetry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.again()
		}
	}
}

// missing are the addresses that were asked for and are not listened on.
func (l *listeners) missing() (out []ListenError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.net.ListenAddresses()
	for _, w := range l.asked {
		switch {
		case w.got == nil && !noIPv6(w):
			out = append(out, ListenError{w.addr.String(), w.err})
		case w.got != nil && !slices.ContainsFunc(now, w.got.Equal):
			out = append(out, ListenError{w.addr.String(), errors.New("the listener ended")})
		}
	}
	return out
}

// ports are the addresses whose ports are to be the same at the next start: those
// that were chosen for a port of 0.
func (l *listeners) ports() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.asked {
		if w.last != nil {
			out = append(out, w.last.String())
		}
	}
	return out
}

// noIPv6 says whether an address is "all of IPv6" on a machine that has none.
func noIPv6(w *wanted) bool {
	if w.err == nil || !manet.IsIPUnspecified(w.addr) || w.addr[0].Protocol().Code != ma.P_IP6 {
		return false
	}
	for _, off := range []error{syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.EADDRNOTAVAIL} {
		if errors.Is(w.err, off) {
			return true
		}
	}
	return false
}

// free says whether nobody listens on a TCP address with a port of its own. The
// library shares its ports, so two nodes of one user could listen on the same one,
// and each would get some of the other's connections.
func free(a ma.Multiaddr) error {
	if port, err := a.ValueForProtocol(ma.P_TCP); err != nil || port == "0" {
		return nil
	}
	network, at, err := manet.DialArgs(a)
	if err != nil {
		return err
	}
	probe, err := net.Listen(network, at)
	if err != nil {
		return err
	}
	return probe.Close()
}

// portOf is the port of an address, or nothing.
func portOf(a ma.Multiaddr) string {
	for _, code := range []int{ma.P_TCP, ma.P_UDP} {
		if port, err := a.ValueForProtocol(code); err == nil {
			return port
		}
	}
	return ""
}

// withPort is an address with another port.
func withPort(a ma.Multiaddr, port string) ma.Multiaddr {
	var out ma.Multiaddr
	for _, c := range a {
		if code := c.Protocol().Code; code == ma.P_TCP || code == ma.P_UDP {
			if other, err := ma.NewComponent(c.Protocol().Name, port); err == nil {
				c = *other
			}
		}
		out = append(out, c)
	}
	return out
}

// openAll has a host listen, and closes it where it cannot.
func openAll(h host.Host, log *slog.Logger, addrs, before []string) (*listeners, error) {
	l := newListeners(h.Network(), log)
	if err := l.open(addrs, before); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return l, nil
}
