package ops

import (
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/metrics"
	"google.golang.org/protobuf/proto"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
)

// BenchmarkTraffic measures what a spend costs on the wire: the bytes that all
// five nodes of a 3-of-5 hand to their streams, from the proposal until all have
// seen it confirmed. The floor is each of its entries handed once to each of the
// four who did not write it. What gossip hands over is counted by kind as well:
// entries with their envelopes, and how often each reaches a node; that an entry is
// held already and unwanted; and the rest of what nodes tell each other.
func BenchmarkTraffic(b *testing.B) {
	sent, kinds := metrics.NewBandwidthCounter(), &gossipKinds{}
	d := &demo{
		opts:  DemoOptions{Cosigners: 5, Threshold: 3, Spends: 10, Out: io.Discard, Log: slog.New(slog.DiscardHandler)},
		extra: []libp2p.Option{libp2p.BandwidthReporter(sent)},
		tap:   kinds.frame,
	}
	ctx := b.Context()
	b.Cleanup(func() { _ = d.close() })
	if err := d.start(ctx); err != nil {
		b.Fatal(err)
	}
	w, err := d.ceremony(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := d.fund(ctx, w.Wallet); err != nil {
		b.Fatal(err)
	}
	held := func() (bytes int) {
		for _, a := range d.nodes[0].Coordinator().Wallets() {
			if err := d.parts[0].Store.Walk(ctx, a.Group(), func(e *journal.Entry) error {
				bytes += len(e.Bytes())
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		return bytes
	}
	entries, before, round := held(), sent.GetBandwidthTotals().TotalOut, int64(0)
	by := sent.GetBandwidthByProtocol()
	kinds.reset()
	for b.Loop() {
		round++
		to, err := demoRecipient(int(round))
		if err != nil {
			b.Fatal(err)
		}
		p, err := d.nodes[0].Propose(ctx, w.Wallet, api.Propose{To: []api.Recipient{{Address: to, Amount: 1_000_000 + round}}, FeeRate: 2})
		if err != nil {
			b.Fatal(err)
		}
		d.race(ctx, b, p.Proposal)
		d.bury(ctx, b, p.Proposal)
	}
	n := float64(b.N)
	out, floor := float64(sent.GetBandwidthTotals().TotalOut-before)/n, float64(4*(held()-entries))/n
	b.ReportMetric(out, "B/spend")
	b.ReportMetric(floor, "floor-B/spend")
	b.ReportMetric(out/floor, "x-floor")
	for p, x := range sent.GetBandwidthByProtocol() {
		if spent := float64(x.TotalOut-by[p].TotalOut) / n; spent >= 1 {
			b.ReportMetric(spent, "B/spend:"+string(p))
		}
	}
	kinds.report(b, n)
}

// gossipKinds counts what goes over pubsub. The tap sees each message twice: as
// it is sent, and as it is received.
type gossipKinds struct {
	mu                     sync.Mutex
	copies, entries        int
	unwanted, unwantedSize int
	control, others, rpcs  int
}

func (k *gossipKinds) frame(kind string, frame []byte) {
	var rpc pb.RPC
	if kind != "pubsub" || proto.Unmarshal(frame, &rpc) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	size := len(frame)
	k.rpcs++
	for _, m := range rpc.GetPublish() {
		k.copies++
		k.entries += proto.Size(m)
		size -= proto.Size(m)
	}
	if c := rpc.GetControl(); c != nil {
		n := proto.Size(c)
		if u := c.GetIdontwant(); len(u) > 0 {
			k.unwanted += len(u)
			k.unwantedSize += n
		} else {
			k.control += n
		}
		size -= n
	}
	k.others += size
}

func (k *gossipKinds) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.copies, k.entries, k.unwanted, k.unwantedSize, k.control, k.others, k.rpcs = 0, 0, 0, 0, 0, 0, 0
}

func (k *gossipKinds) report(b *testing.B, n float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b.ReportMetric(float64(k.copies)/2/n, "copies/spend")
	b.ReportMetric(float64(k.entries)/2/n, "entries-B/spend")
	b.ReportMetric(float64(k.unwanted)/2/n, "unwanted/spend")
	b.ReportMetric(float64(k.unwantedSize)/2/n, "unwanted-B/spend")
	b.ReportMetric(float64(k.control)/2/n, "control-B/spend")
	b.ReportMetric(float64(k.rpcs)/2/n, "rpcs/spend")
	b.ReportMetric(float64(k.others)/2/n, "framing-B/spend")
}
