package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/journal"
)

// ownNode is a node that listens as told.
func ownNode(t *testing.T, listen []string, ports ...string) (*Node, error) {
	t.Helper()
	n, err := New(context.Background(), Config{Identity: journal.NewIdentity([32]byte{7}), Listen: listen, Ports: ports})
	if err == nil {
		t.Cleanup(func() { _ = n.Close() })
	}
	return n, err
}

// holder is another program that has a port, on TCP and UDP.
func holder(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	u, err := net.ListenPacket("udp4", l.Addr().String())
	if err != nil {
		t.Skipf("the same UDP port is not free: %v", err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return l.Addr().String()[len("127.0.0.1:"):]
}

// A fixed port that another program has is an error that names it, whatever else is
// listened on: what was asked for is never left out in silence.
func TestATakenPortIsAnError(t *testing.T) {
	port := holder(t)
	for _, taken := range []string{"/ip4/127.0.0.1/tcp/" + port, "/ip4/127.0.0.1/udp/" + port + "/quic-v1"} {
		for _, listen := range [][]string{{taken}, {"/ip4/127.0.0.1/tcp/0", taken}, {taken, "/ip4/127.0.0.1/udp/0/quic-v1"}} {
			_, err := ownNode(t, listen)
			var l *ListenError
			if !errors.As(err, &l) || l.Addr != taken || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%v: %v", listen, err)
			}
		}
		if _, err := NewRelay(RelayConfig{Identity: journal.NewIdentity([32]byte{8}), Listen: []string{"/ip4/127.0.0.1/tcp/0", taken}}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a relay on %s: %v", taken, err)
		}
	}
}

// Two nodes of one user do not share a port: each would get some of the other's
// connections.
func TestTwoNodesDoNotShareAPort(t *testing.T) {
	a, err := ownNode(t, []string{"/ip4/127.0.0.1/tcp/0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ownNode(t, a.ListenAddrs()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listens on %v too: %v", a.ListenAddrs(), err)
	}
}

// An address that this machine does not have now is missing for as long as it is so;
// where nothing else is listened on it is an error.
func TestAnAddressOfAnotherMachineIsMissing(t *testing.T) {
	const elsewhere = "/ip4/192.0.2.9/tcp/0"
	n, err := ownNode(t, []string{"/ip4/127.0.0.1/tcp/0", elsewhere})
	if err != nil {
		t.Fatal(err)
	}
	if m := n.NotListening(); len(m) != 1 || m[0].Addr != elsewhere || !errors.Is(&m[0], syscall.EADDRNOTAVAIL) {
		t.Errorf("missing %v", m)
	}
	if _, err := ownNode(t, []string{elsewhere}); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("alone: %v", err)
	}
	if _, err := NewRelay(RelayConfig{Identity: journal.NewIdentity([32]byte{8}), Listen: []string{"/ip4/127.0.0.1/tcp/0", elsewhere}}); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("a relay: %v", err)
	}
}

// A listener that ends while the node runs is missed, and comes back.
func TestAListenerThatEndsComesBack(t *testing.T) {
	n, err := ownNode(t, []string{"/ip4/127.0.0.1/tcp/0"})
	if err != nil {
		t.Fatal(err)
	}
	before := n.ListenAddrs()
	slices.Sort(before)
	for _, a := range n.host.Network().ListenAddresses() {
		if portOf(a) != "" {
			n.host.Network().(interface{ ListenClose(...ma.Multiaddr) }).ListenClose(a)
		}
	}
	if m := n.NotListening(); len(m) != 1 {
		t.Errorf("missing %v", m)
	}
	n.ears.again()
	after := n.ListenAddrs()
	slices.Sort(after)
	if m := n.NotListening(); len(m) != 0 || !slices.Equal(before, after) {
		t.Errorf("missing %v; %v, before %v", m, after, before)
	}
}

// A port of 0 is the same at the next start, and another where it is taken; nothing
// but such ports is remembered.
func TestPortsAreRemembered(t *testing.T) {
	fixed := holder(t)
	listen := []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
	a, err := ownNode(t, listen)
	if err != nil {
		t.Fatal(err)
	}
	ports := a.Ports()
	if len(ports) != 2 || strings.Contains(fmt.Sprint(ports, a.ListenAddrs()), "circuit") {
		t.Fatalf("remembered %v of %v", ports, a.ListenAddrs())
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	// As an older version wrote it: everything that was listened on.
	b, err := ownNode(t, listen, append([]string{"/p2p-circuit", "/ip4/127.0.0.1/tcp/" + fixed + "/ws"}, ports...)...)
	if err != nil || !slices.Equal(b.Ports(), ports) {
		t.Fatalf("%v, before %v: %v", b.Ports(), ports, err)
	}
	c, err := ownNode(t, listen, ports...)
	if err != nil {
		t.Fatal(err)
	}
	if now := c.Ports(); len(now) != 2 || now[0] == ports[0] || now[1] == ports[1] || len(c.NotListening()) != 0 {
		t.Errorf("beside another that has them: %v, before %v", now, ports)
	}
}

// fakeNet listens on what it is let.
type fakeNet struct {
	network.Network
	has []ma.Multiaddr
}

func (f *fakeNet) ListenAddresses() []ma.Multiaddr { return f.has }

// "Every IPv6 address" of a machine without IPv6 is none: that is said once, and is
// nothing to see to. All other addresses are.
func TestNoIPv6IsNoFault(t *testing.T) {
	for _, off := range []error{syscall.EAFNOSUPPORT, syscall.EADDRNOTAVAIL} {
		for _, c := range []struct {
			addrs   []string
			fails   bool
			missing int
		}{
			{[]string{"/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/1", "/ip6/::/udp/1/quic-v1"}, false, 0},
			{[]string{"/ip6/::/tcp/1"}, true, 0},
			{[]string{"/ip4/0.0.0.0/tcp/1", "/ip6/2001:db8::1/tcp/1"}, off == syscall.EAFNOSUPPORT, 1},
		} {
			var log bytes.Buffer
			f := &fakeNet{}
			l := newListeners(f, slog.New(slog.NewTextHandler(&log, nil)))
			l.begin = func(a ma.Multiaddr) error {
				if a[0].Protocol().Code == ma.P_IP6 {
					return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", off)}
				}
				f.has = append(f.has, a)
				return nil
			}
			err := l.open(c.addrs, nil)
			if (err != nil) != c.fails {
				t.Errorf("%v, %v: %v", c.addrs, off, err)
			}
			if err != nil {
				continue
			}
			if m := l.missing(); len(m) != c.missing {
				t.Errorf("%v, %v: missing %v", c.addrs, off, m)
			}
			if got := strings.Count(log.String(), "level=WARN"); got != c.missing {
				t.Errorf("%v, %v: the log says %s", c.addrs, off, log.String())
			}
		}
	}
}

// Whatever is asked for is listened on, an error, or told as missing.
func TestNothingAskedForIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fails := map[string]error{}
		var addrs []string
		for n := range rapid.IntRange(1, 6).Draw(t, "addresses") {
			a := fmt.Sprintf("/%s/tcp/%d", rapid.SampledFrom([]string{"ip4/0.0.0.0", "ip4/192.0.2.1", "ip6/::", "ip6/::1"}).Draw(t, "at"), n)
			addrs = append(addrs, a)
			if err := rapid.SampledFrom([]error{nil, nil, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.EACCES, syscall.EAFNOSUPPORT, syscall.EMFILE}).Draw(t, "fails"); err != nil {
				fails[a] = err
			}
		}
		f := &fakeNet{}
		l := newListeners(f, slog.New(slog.DiscardHandler))
		l.begin = func(a ma.Multiaddr) error {
			if err := fails[a.String()]; err != nil {
				return err
			}
			if portOf(a) == "0" {
				a = withPort(a, "9")
			}
			if slices.ContainsFunc(f.has, a.Equal) {
				return syscall.EADDRINUSE
			}
			f.has = append(f.has, a)
			return nil
		}
		var before []string
		if rapid.Bool().Draw(t, "remembers") {
			before = append(before, addrs...)
		}
		if err := l.open(addrs, before); err != nil {
			var e *ListenError
			if !errors.As(err, &e) || fails[e.Addr] == nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(f.has) == 0 {
			t.Fatal("nothing is listened on, and that is no error")
		}
		missing := map[string]bool{}
		for _, m := range l.missing() {
			missing[m.Addr] = true
		}
		for _, a := range addrs {
			harmless := strings.HasPrefix(a, "/ip6/::/") && (fails[a] == syscall.EADDRNOTAVAIL || fails[a] == syscall.EAFNOSUPPORT)
			if want := fails[a] != nil && !harmless; missing[a] != want {
				t.Fatalf("%s failed with %v; missing %v", a, fails[a], missing)
			}
		}
	})
}

// "Every IPv6 address" of a machine that gets IPv6 later is listened on then, and is no
// fault before.
func TestIPv6ThatComesLaterIsListenedOn(t *testing.T) {
	var log bytes.Buffer
	f, there := &fakeNet{}, false
	l := newListeners(f, slog.New(slog.NewTextHandler(&log, nil)))
	l.begin = func(a ma.Multiaddr) error {
		if a[0].Protocol().Code == ma.P_IP6 && !there {
			return &net.OpError{Op: "listen", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)}
		}
		f.has = append(f.has, a)
		return nil
	}
	if err := l.open([]string{"/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/1"}, nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.again()
	}
	if m := l.missing(); len(m) != 0 || len(f.has) != 1 || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("before: missing %v, listens on %v; the log says %s", m, f.has, log.String())
	}
	there = true
	l.again()
	l.again()
	if m := l.missing(); len(m) != 0 || len(f.has) != 2 || strings.Count(log.String(), "is listened on now") != 1 {
		t.Errorf("after: missing %v, listens on %v; the log says %s", m, f.has, log.String())
	}
}
