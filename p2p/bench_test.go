package p2p_test

import (
	"context"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// hopInbox tells when an entry is handed up.
type hopInbox struct {
	*p2ptest.Inbox
	got chan journal.EntryID
}

func (h hopInbox) Receive(ctx context.Context, from journal.Author, e *journal.Entry) error {
	err := h.Inbox.Receive(ctx, from, e)
	if err == nil {
		h.got <- e.ID()
	}
	return err
}

func pair(b *testing.B, g p2ptest.Group, in port.Inbox, out port.Inbox) (from, to *p2p.Node) {
	b.Helper()
	net := quicAndTCP()
	from = net.node(b, p2p.Config{Identity: p2ptest.Identity(1)})
	to = net.node(b, p2p.Config{Identity: p2ptest.Identity(2)})
	l := linkOf(g, nil)
	for n := range benchAuthors {
		l.Members = append(l.Members, p2ptest.Identity(byte(n+1)).Author())
	}
	l.Hints = map[journal.Author][]string{from.Author(): from.ListenAddrs(), to.Author(): to.ListenAddrs()}
	if err := from.Attach(b.Context(), l, in); err != nil {
		b.Fatal(err)
	}
	if err := to.Attach(b.Context(), l, out); err != nil {
		b.Fatal(err)
	}
	return from, to
}

// benchAuthors is how many members write in turns: one alone writes, after 1,024
// entries in a row, no more than its rate (see rates), and what gossip drops then
// comes by sync.
const benchAuthors = 64

// BenchmarkGossipHop is one entry from Publish at one host to Receive at
// another, over loopback: the floor of everything that waits for others.
func BenchmarkGossipHop(b *testing.B) {
	g := p2ptest.NewGroup(1)
	in, out := p2ptest.NewInbox(), hopInbox{p2ptest.NewInbox(), make(chan journal.EntryID, 256)}
	from, _ := pair(b, g, in, out)
	p2ptest.Eventually(b, "the two share the topic", func() bool { return len(from.TopicPeers(g.Epoch.Topic())) == 1 })
	var writers []*p2ptest.Writer
	for n := range benchAuthors {
		writers = append(writers, p2ptest.NewWriter(p2ptest.Identity(byte(n+1)), g, 1))
	}
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		e := writers[n%benchAuthors].Fill(b, in, 1)[0]
		b.StartTimer()
		if err := from.Publish(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		for id := range out.got {
			if id == e.ID() {
				break
			}
		}
	}
}

// BenchmarkCatchUp is 10,000 entries of five authors, from Attach to the last
// one stored. Its floor is checking 10,000 entries on all cores.
func BenchmarkCatchUp(b *testing.B) {
	const each, chains = 2000, 5
	g := p2ptest.NewGroup(1)
	in := p2ptest.NewInbox()
	for n := range byte(chains) {
		p2ptest.NewWriter(p2ptest.Identity(20+n), g, 1).Fill(b, in, each)
	}
	for b.Loop() {
		out := p2ptest.NewInbox()
		from, to := pair(b, g, in, out)
		p2ptest.Eventually(b, "all arrived", func() bool { return out.Len() == each*chains })
		b.StopTimer()
		for _, n := range []*p2p.Node{from, to} {
			if err := n.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(each*chains*b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkCatchUpFloor checks 10,000 entries one after the other: it divides
// by the number of cores.
func BenchmarkCatchUpFloor(b *testing.B) {
	g := p2ptest.NewGroup(1)
	raws := make([][]byte, 0, 10_000)
	for _, e := range p2ptest.NewWriter(p2ptest.Identity(1), g, 1).Fill(b, p2ptest.NewInbox(), 10_000) {
		raws = append(raws, e.Bytes())
	}
	start := time.Now()
	for b.Loop() {
		for _, raw := range raws {
			e, err := journal.Decode(raw)
			if err != nil {
				b.Fatal(err)
			}
			if err := e.Verify(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(raws)*b.N)/time.Since(start).Seconds(), "entries/s")
}
