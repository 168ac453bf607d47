package p2p_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// pass lets virtual time go by, and then everything that is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// internet is a virtual network with 50 ms from node to node, in virtual time.
type internet struct{ net *simnet.Simnet }

func (w internet) node(t *testing.T, n byte) *p2p.Node {
	t.Helper()
	link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
	node, err := p2p.New(t.Context(), p2p.Config{
		Identity:     p2ptest.Identity(n),
		Listen:       []string{fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", simnet.IntToPublicIPv4(int(n)))},
		ExtraOptions: []libp2p.Option{simlibp2p.QUICSimnet(w.net, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// The whole libp2p stack in virtual time: seven nodes of whom six know only
// one, entries written at once everywhere, a node that goes and comes back.
func TestGroupInVirtualTime(t *testing.T) {
	// libp2p numbers records by the clock, and never back in one process: after
	// other tests virtual time has to be that of today.
	today := time.Now()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(today))
		w := internet{&simnet.Simnet{LatencyFunc: simnet.StaticLatency(50 * time.Millisecond)}}
		w.net.Start()
		defer w.net.Close()
		const count = 7
		g := p2ptest.NewGroup(1)
		l := port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Hints: map[journal.Author][]string{}}
		for n := range byte(count) {
			l.Members = append(l.Members, p2ptest.Identity(n+1).Author())
		}
		var nodes []*p2p.Node
		var in []*p2ptest.Inbox
		var out []*p2ptest.Writer
		start := func(i int) {
			nodes[i] = w.node(t, byte(i+1))
			if i == 0 {
				l.Hints[nodes[0].Author()] = nodes[0].ListenAddrs()
			}
			if err := nodes[i].Attach(t.Context(), l, in[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range count {
			nodes = append(nodes, nil)
			in = append(in, p2ptest.NewInbox())
			out = append(out, p2ptest.NewWriter(p2ptest.Identity(byte(i+1)), g, 1))
			start(i)
		}
		pass(30 * time.Second)
		for i, n := range nodes {
			for _, s := range n.Peers() {
				if !s.Connected {
					t.Errorf("node %d does not know %s", i, s.PeerID)
				}
			}
		}
		write := func(i int) {
			e := out[i].Fill(t, in[i], 1)[0]
			if err := nodes[i].Publish(t.Context(), e); err != nil {
				t.Error(err)
			}
		}
		total := 0
		check := func(what string) {
			t.Helper()
			for i := range in {
				if in[i].Len() != total {
					t.Errorf("%s: node %d holds %d of %d entries", what, i, in[i].Len(), total)
				}
			}
		}
		for i := range nodes {
			write(i)
			total++
		}
		pass(time.Second)
		check("a second after all wrote")

		if err := nodes[3].Close(); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		for range 5 {
			write(0)
			total++
		}
		pass(time.Second)
		start(3)
		pass(20 * time.Second)
		check("after a node came back")
		for _, n := range nodes {
			for _, s := range n.Peers() {
				if len(s.Rejects) > 0 {
					t.Errorf("an honest peer was counted: %+v", s)
				}
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
