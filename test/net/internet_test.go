package net_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The weather of every scenario: one way, so that an answer takes twice it.
const (
	latency   = 150 * time.Millisecond
	bandwidth = 20_000_000 / 8         // bytes a second that a site can send
	backlog   = 200 * time.Millisecond // of it waits at most; what is over is lost
	fullMTU   = 1500
)

// internet carries packets between the TUN devices of sites, in this process:
// the kernel may lack netem. It is where sites are cut off from each other.
type internet struct {
	mu    sync.Mutex
	at    map[netip.Addr]*uplink
	sides map[*uplink]int // those on different sides do not reach each other

	all sync.WaitGroup
}

// uplink is the way of one site to the internet and back.
type uplink struct {
	tun   *os.File
	queue chan packet
	mtu   atomic.Int32
	mute  atomic.Bool // tells nobody that a packet was too large for it
	sent  atomic.Int64
	large atomic.Int64 // packets dropped for their size
}

type packet struct {
	data []byte
	due  time.Time
}

func newInternet(t testing.TB) *internet {
	t.Helper()
	n := &internet{at: map[netip.Addr]*uplink{}, sides: map[*uplink]int{}}
	t.Cleanup(n.all.Wait) // after every uplink has been closed
	return n
}

// uplink makes a TUN device and moves it into a network namespace, as "wan".
func (n *internet) uplink(t testing.TB, ns string) *uplink {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open /dev/net/tun: %v", err)
	}
	req, err := unix.NewIfreq("quorate%d")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Fatalf("make TUN device: %v", err)
	}
	u := &uplink{tun: os.NewFile(uintptr(fd), "tun"), queue: make(chan packet, 4096)}
	u.mtu.Store(fullMTU)
	t.Cleanup(func() {
		if err := u.tun.Close(); err != nil {
			t.Errorf("close TUN device: %v", err)
		}
	})
	shell(t, "ip", "link", "set", req.Name(), "netns", ns, "name", "wan")
	n.all.Go(func() { n.send(u) })
	n.all.Go(func() { n.deliver(u) })
	return u
}

// announce makes an address lead to an uplink, and others no more.
func (n *internet) announce(u *uplink, a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for old, x := range n.at {
		if x == u {
			delete(n.at, old)
		}
	}
	n.at[a] = u
}

// cut separates uplinks from all others, until heal.
func (n *internet) cut(off ...*uplink) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range off {
		n.sides[u] = 1
	}
}

func (n *internet) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.sides)
}

// bytes is what all sites have sent so far.
func (n *internet) bytes() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	var sum int64
	for _, u := range n.at {
		sum += u.sent.Load()
	}
	return sum
}

// send takes what a site sends and says when it arrives.
func (n *internet) send(u *uplink) {
	defer close(u.queue)
	free := time.Now() // when all before has been sent
	buf := make([]byte, 64<<10)
	for {
		size, err := u.tun.Read(buf)
		if err != nil {
			return // closed
		}
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		if free.Sub(now) > backlog {
			continue
		}
		if mtu := int(u.mtu.Load()); size > mtu {
			u.large.Add(1)
			if answer := tooLarge(buf[:size], mtu); answer != nil && !u.mute.Load() {
				_, _ = u.tun.Write(answer) // lost, as any packet may be
			}
			continue
		}
		u.sent.Add(int64(size))
		free = free.Add(time.Duration(size) * time.Second / bandwidth)
		select {
		case u.queue <- packet{bytes.Clone(buf[:size]), free.Add(latency)}:
		default: // lost
		}
	}
}

func (n *internet) deliver(u *uplink) {
	t := time.NewTimer(0)
	defer t.Stop()
	for p := range u.queue {
		t.Reset(time.Until(p.due))
		<-t.C
		to := n.route(u, p.data)
		switch {
		case to == nil:
		case len(p.data) > int(to.mtu.Load()):
			to.large.Add(1)
			if answer := tooLarge(p.data, int(to.mtu.Load())); answer != nil && !to.mute.Load() {
				_, _ = u.tun.Write(answer)
			}
		default:
			_, _ = to.tun.Write(p.data) // the device may be down
		}
	}
}

// route is where an IPv4 packet goes, or nil.
func (n *internet) route(from *uplink, p []byte) *uplink {
	if len(p) < 20 || p[0]>>4 != 4 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.at[netip.AddrFrom4([4]byte(p[16:20]))]
	if to == nil || n.sides[from] != n.sides[to] {
		return nil
	}
	return to
}

// tooLarge is the ICMP message that a router sends for a packet that does not
// fit and must not be broken up; nil where none is due.
func tooLarge(p []byte, mtu int) []byte {
	if len(p) < 28 || p[0]>>4 != 4 || p[6]&0x40 == 0 || p[9] == unix.IPPROTO_ICMP {
		return nil
	}
	const head = 20 + 8
	out := make([]byte, head, head+28)
	out = append(out, p[:28]...)
	out[0], out[8], out[9] = 0x45, 64, unix.IPPROTO_ICMP
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	copy(out[12:], p[16:20]) // as if the receiver's own router said so
	copy(out[16:], p[12:16])
	binary.BigEndian.PutUint16(out[10:], checksum(out[:20]))
	out[20], out[21] = 3, 4
	binary.BigEndian.PutUint16(out[26:], uint16(mtu))
	binary.BigEndian.PutUint16(out[22:], checksum(out[20:]))
	return out
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// address is a public one: libp2p takes others for private, and does not try
// to reach them through NAT. Nothing leaves the namespaces.
func address(n int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("45.0.0.%d", n))
}
