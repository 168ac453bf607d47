package ops

import (
	"io"
	"log/slog"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/metrics"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
)

// BenchmarkTraffic measures what a spend costs on the wire: the bytes that all
// five nodes of a 3-of-5 hand to their streams, from the proposal until all have
// seen it confirmed. The floor is each of its entries handed once to each of the
// four who did not write it.
func BenchmarkTraffic(b *testing.B) {
	sent := metrics.NewBandwidthCounter()
	d := &demo{
		opts:  DemoOptions{Cosigners: 5, Threshold: 3, Spends: 10, Out: io.Discard, Log: slog.New(slog.DiscardHandler)},
		extra: []libp2p.Option{libp2p.BandwidthReporter(sent)},
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
}
