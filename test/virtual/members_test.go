package virtual_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

const (
	latency = 150 * time.Millisecond // one way
	never   = 20 * 365 * 24 * time.Hour
	fast    = 20 * simlibp2p.OneMbps
	udpPort = 8000
)

// members are the nodes of one group on a virtual network.
type members struct {
	t     *testing.T
	net   *simnet.Simnet
	group p2ptest.Group
	link  port.GroupLink
	nodes []*p2p.Node // nil while one is off
	in    []*p2ptest.Inbox
	out   []*p2ptest.Writer
	total int // entries written

	mu    sync.Mutex
	apart func(a, b int) bool // which members' packets to each other are lost
}

// inVirtualTime runs a scenario with so many members, who are all off.
func inVirtualTime(t *testing.T, count int, scenario func(m *members)) {
	synctest.Test(t, func(t *testing.T) {
		// libp2p numbers records by the clock, and never back in one process: where
		// an earlier scenario let weeks pass, this one begins after them.
		<-time.After(time.Until(time.Unix(0, int64(peer.TimestampSeq()))))
		m := &members{t: t, group: p2ptest.NewGroup(1), apart: func(int, int) bool { return false }}
		m.net = &simnet.Simnet{LatencyFunc: m.latency}
		m.net.Start()
		defer m.net.Close()
		m.link = port.GroupLink{Group: m.group.ID(), Topics: []string{m.group.Epoch.Topic()}, Hints: map[journal.Author][]string{}}
		for i := range count {
			m.link.Members = append(m.link.Members, m.identity(i).Author())
			m.nodes = append(m.nodes, nil)
			m.in = append(m.in, p2ptest.NewInbox())
			m.out = append(m.out, p2ptest.NewWriter(m.identity(i), m.group, 1))
		}
		// All know where the first is, and nothing more.
		m.link.Hints[m.link.Members[0]] = []string{m.address(0)}
		began := time.Now()
		scenario(m)
		for i, n := range m.nodes {
			if n == nil {
				continue
			}
			for _, s := range n.Peers() {
				if len(s.Rejects) > 0 {
					t.Errorf("member %d counted what an honest one sent: %+v", i, s)
				}
			}
			m.stop(i)
		}
		t.Logf("%v in all", time.Since(began))
	})
}

func (m *members) identity(i int) *journal.Identity { return p2ptest.Identity(byte(i + 1)) }

func ip(i int) net.IP { return simnet.IntToPublicIPv4(i + 1) }

func (m *members) address(i int) string {
	return fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", ip(i), udpPort)
}

// latency is that of one packet. What is lost comes when all is over.
func (m *members) latency(p *simnet.Packet) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.apart(number(p.From), number(p.To)) {
		return never
	}
	return latency
}

func number(a net.Addr) int {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return -1
	}
	for i := range 256 {
		if ip(i).Equal(u.IP) {
			return i
		}
	}
	return -1
}

// cut makes packets between members be lost.
func (m *members) cut(apart func(a, b int) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apart = apart
}

func (m *members) heal() { m.cut(func(int, int) bool { return false }) }

// place is where a host with so much bandwidth joins the network.
func (m *members) place(bitsPerSecond int) libp2p.Option {
	l := simnet.LinkSettings{BitsPerSecond: bitsPerSecond}
	return simlibp2p.QUICSimnet(m.net, simnet.NodeBiDiLinkSettings{Downlink: l, Uplink: l})
}

// start turns members on.
func (m *members) start(which ...int) {
	m.t.Helper()
	for _, i := range which {
		m.startWith(i, fast, nil)
	}
}

func (m *members) startWith(i, bitsPerSecond int, relays []string) {
	m.t.Helper()
	n, err := p2p.New(m.t.Context(), p2p.Config{
		Identity: m.identity(i), Listen: []string{m.address(i)}, Relays: relays,
		ExtraOptions: []libp2p.Option{m.place(bitsPerSecond)},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.nodes[i] = n
	if err := n.Attach(m.t.Context(), m.link, m.in[i]); err != nil {
		m.t.Fatal(err)
	}
}

func (m *members) stop(i int) {
	m.t.Helper()
	if err := m.nodes[i].Close(); err != nil {
		m.t.Error(err)
	}
	m.nodes[i] = nil
}

// write has a member publish entries, one after the other.
func (m *members) write(i, count int) {
	m.t.Helper()
	for range count {
		e := m.out[i].Fill(m.t, m.in[i], 1)[0]
		if err := m.nodes[i].Publish(m.t.Context(), e); err != nil {
			m.t.Error(err)
		}
	}
	m.total += count
}

// patience is how long, in virtual time, anything may take.
const patience = 30 * time.Minute

// eventually lets virtual time pass until a condition holds, and says how much
// of it did.
func (m *members) eventually(what string, holds func() bool) {
	m.t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > patience {
			m.t.Fatalf("not within %v: %s", patience, what)
		}
		pass(50 * time.Millisecond)
	}
	m.t.Logf("%8v until %s", time.Since(began).Round(time.Millisecond), what)
}

// all waits until members hold every entry.
func (m *members) all(what string, which ...int) {
	m.t.Helper()
	m.eventually(what, func() bool {
		for _, i := range which {
			if m.in[i].Len() != m.total {
				return false
			}
		}
		return true
	})
}

// met waits until members are connected, each with each.
func (m *members) met(which ...int) {
	m.t.Helper()
	m.eventually("all are connected", func() bool {
		for _, i := range which {
			connected := 0
			for _, s := range m.nodes[i].Peers() {
				if s.Connected {
					connected++
				}
			}
			if connected < len(which)-1 {
				return false
			}
		}
		return true
	})
}

// pass lets virtual time go by, and then everything that is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
