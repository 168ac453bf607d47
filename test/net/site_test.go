package net_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// site is a network namespace: a host, or the router before one.
type site struct {
	t    testing.TB
	net  *internet
	ns   string
	wan  *uplink    // nil behind a router
	addr netip.Addr // on the internet, or in the network of its router
}

// How a NAT chooses ports: one for each address and port inside, or another for
// each peer as well. Both let in only whom was sent to.
const (
	portRestricted = "masquerade"
	symmetric      = "masquerade fully-random"
)

const nsPrefix = "quorate-net-"

func newSite(t testing.TB, n *internet, name string) *site {
	t.Helper()
	s := &site{t: t, net: n, ns: fmt.Sprintf("%s%d-%d-%s", nsPrefix, os.Getpid(), world.sites.Add(1), name)}
	shell(t, "ip", "netns", "add", s.ns)
	t.Cleanup(func() { shell(t, "ip", "netns", "del", s.ns) })
	s.ip("link", "set", "lo", "up")
	return s
}

// public is a site with an address of its own on the internet, which loses so
// many of a hundred packets on their way to it.
func (n *internet) public(t testing.TB, name string, number, loss int) *site {
	t.Helper()
	s := newSite(t, n, name)
	s.wan = n.uplink(t, s.ns)
	s.ip("link", "set", "wan", "up", "mtu", strconv.Itoa(fullMTU))
	s.move(address(number))
	if loss > 0 {
		s.nft(fmt.Sprintf("table ip weather { chain in { type filter hook prerouting priority -300; "+
			`iifname "wan" numgen random mod 100 < %d counter drop; }; }`, loss))
	}
	return s
}

// move gives a site another address.
func (s *site) move(to netip.Addr) {
	s.t.Helper()
	s.net.announce(s.wan, to)
	if s.addr.IsValid() {
		s.ip("addr", "del", s.addr.String()+"/32", "dev", "wan")
	}
	s.addr = to
	s.ip("addr", "add", to.String()+"/32", "dev", "wan")
	s.ip("route", "replace", "default", "dev", "wan", "src", to.String())
}

// behind makes hosts behind a NAT that has a public address: on a bridge, each
// with a cable to it. Nobody outside can begin to talk to them, or to the NAT.
func (n *internet) behind(t testing.TB, nat, name string, number, loss, hosts int) []*site {
	t.Helper()
	r := n.public(t, name+"-nat", number, loss)
	r.exec("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	r.ip("link", "add", "lan", "type", "bridge")
	r.ip("addr", "add", "192.168.1.1/24", "dev", "lan")
	r.ip("link", "set", "lan", "up")
	r.nft(`table ip router {
		chain in { type filter hook input priority 0; iifname "wan" ct state new drop; }
		chain through { type filter hook forward priority 0; iifname "wan" ct state new drop; }
		chain out { type nat hook postrouting priority 100; oifname "wan" ` + nat + `; }
	}`)
	var out []*site
	for i := range hosts {
		s := newSite(t, n, fmt.Sprintf("%s-%d", name, i))
		s.addr = netip.MustParseAddr(fmt.Sprintf("192.168.1.%d", 10+i))
		port := fmt.Sprintf("port%d", i)
		r.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", s.ns)
		r.ip("link", "set", port, "master", "lan", "up")
		s.ip("addr", "add", s.addr.String()+"/24", "dev", "eth0")
		s.ip("link", "set", "eth0", "up")
		s.ip("route", "add", "default", "via", "192.168.1.1")
		out = append(out, s)
	}
	return out
}

func (s *site) ip(args ...string) {
	s.t.Helper()
	shell(s.t, "ip", append([]string{"-n", s.ns}, args...)...)
}

func (s *site) exec(args ...string) {
	s.t.Helper()
	line := append(s.inside(), args...)
	shell(s.t, line[0], line[1:]...)
}

// inside is what runs a command in the namespace.
func (s *site) inside() []string { return []string{"ip", "netns", "exec", s.ns} }

func (s *site) nft(rules string) {
	s.t.Helper()
	s.exec("nft", rules)
}

// listen listens inside the namespace for this process, which is outside.
func (s *site) listen(addr string) net.Listener {
	s.t.Helper()
	l, err := within(s.ns, func() (net.Listener, error) { return net.Listen("tcp", addr) })
	if err != nil {
		s.t.Fatalf("listen in %s: %v", s.ns, err)
	}
	return l
}

// within runs a function on a thread that is in a namespace for that long.
func within(ns string, f func() (net.Listener, error)) (l net.Listener, err error) {
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.Close()) }()
	away, err := os.Open(filepath.Join("/run/netns", ns))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, away.Close()) }()
	runtime.LockOSThread()
	if err := unix.Setns(int(away.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	l, err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return l, errors.Join(err, back) // still locked: the thread ends with its goroutine
	}
	runtime.UnlockOSThread()
	return l, err
}

func shell(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// sweep deletes namespaces of test processes that were killed.
func sweep() error {
	names, err := os.ReadDir("/run/netns")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range names {
		rest, ok := strings.CutPrefix(e.Name(), nsPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		if _, err := os.Stat("/proc/" + pid); !ok || pid == "" || err == nil {
			continue
		}
		if out, err := exec.Command("ip", "netns", "del", e.Name()).CombinedOutput(); err != nil {
			return fmt.Errorf("delete %s: %w: %s", e.Name(), err, out)
		}
	}
	return nil
}
