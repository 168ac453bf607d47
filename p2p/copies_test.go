package p2p_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"google.golang.org/protobuf/proto"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// frames counts what a node sent and received of each entry by pubsub.
type frames struct {
	mu               sync.Mutex
	copies, unwanted map[string]int
}

func (f *frames) tap(kind string, b []byte) {
	var rpc pb.RPC
	if kind != "pubsub" || proto.Unmarshal(b, &rpc) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range rpc.GetPublish() {
		f.copies[p2p.MessageID(m)]++
	}
	for _, x := range rpc.GetControl().GetIdontwant() {
		for _, id := range x.GetMessageIDs() {
			f.unwanted[id]++
		}
	}
}

func (f *frames) of(e *journal.Entry) (copies, unwanted int) {
	id := p2p.MessageID(&pb.Message{Data: e.Bytes()})
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.copies[id], f.unwanted[id]
}

// Who has an entry says so before it stores it, and is given no second copy by who
// takes longer to store it: most of what a group sends would be copies.
func TestWhoHasAnEntryIsGivenNoCopy(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	var nodes []*p2p.Node
	var seen []*frames
	hints := map[journal.Author][]string{}
	var all []journal.Author
	for n := range byte(3) {
		f := &frames{copies: map[string]int{}, unwanted: map[string]int{}}
		x := net.node(t, p2p.Config{Identity: p2ptest.Identity(n + 1), Tap: f.tap})
		nodes, seen, all = append(nodes, x), append(seen, f), append(all, x.Author())
		hints[x.Author()] = x.ListenAddrs()
	}
	var in []*p2ptest.Inbox
	for _, x := range nodes {
		in = append(in, attachNode(t, x, g, hints, all...))
	}
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	publish := func() *journal.Entry {
		e := w.Fill(t, in[0], 1)[0]
		if err := nodes[0].Publish(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		p2ptest.Eventually(t, "both receivers hold the entry", func() bool { return in[1].Has(e) && in[2].Has(e) })
		return e
	}
	// Both tell each other, not only one, once each has the other in its mesh; the
	// author tells both.
	told := func(e *journal.Entry) bool {
		return !slices.ContainsFunc(seen[1:], func(f *frames) bool { _, unwanted := f.of(e); return unwanted < 3 })
	}
	var earlier []*journal.Entry
	p2ptest.Eventually(t, "the receivers tell each other what they have", func() bool {
		earlier = append(earlier, publish())
		return slices.ContainsFunc(earlier, told)
	})
	for _, x := range in[1:] {
		x.SetHook(func(_ journal.Author, e *journal.Entry) {
			for !told(e) {
				select {
				case <-t.Context().Done():
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	e := publish()
	publish() // what passing the one before on would have sent is on its way by now
	for n, f := range seen[1:] {
		if copies, _ := f.of(e); copies != 1 {
			t.Errorf("receiver %d saw %d copies of the entry, want the author's alone", n+1, copies)
		}
	}
}
