package trace

import (
	"context"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
)

// Names of spans.
const (
	// SpanEntered is from the time that this node's user proposed; SpanReceived from the
	// time that another says he did, to when this node held it.
	SpanEntered  = "proposal.entered"
	SpanReceived = "proposal.received"
	// SpanSign is what the signer of this node took; SpanRelease from then, or from when it
	// was approved, to when the approval was durable and told. SpanApproval is of another's.
	SpanSign     = "approval.sign"
	SpanRelease  = "approval.release"
	SpanApproval = "approval.received"
	// SpanHanded is what the Bitcoin node took.
	SpanHanded = "broadcast.handed"
	// Each of these is from when the node saw the status before to when it saw this one.
	SpanFinal     = "proposal.final"
	SpanMempool   = "mempool.seen"
	SpanConfirmed = "proposal.confirmed"
)

const (
	// maxKnown is how many proposals are remembered, and transactions of which it is not
	// known yet whose they are.
	maxKnown = 4096
	// longest is how far back a span begins at most: what another claims may be any time.
	longest = 24 * time.Hour
)

// Book makes spans of what is seen of proposals. It is safe for concurrent use, and never
// waits; a nil one makes none.
type Book struct {
	spans *spans
	queue *queue
	to    *collector
	now   func() time.Time
	me    string

	mu     sync.Mutex
	known  map[journal.EntryID]*course
	byTx   map[string]journal.EntryID
	parked map[string][]moment
	signed map[string]time.Time // when the signer had signed, by transaction
	handed map[string]string    // how the last handing over ended, by transaction
}

// course is what is known of a proposal.
type course struct {
	status    string
	since     time.Time
	approvals map[string]bool
}

// moment is a span of a transaction whose proposal is not known yet.
type moment struct {
	name     string
	from, to time.Time
	attrs    []attribute.KeyValue
}

// Options of a Book.
type Options struct {
	// Endpoint is the whole URL that spans are sent to; empty for none.
	Endpoint string
	Version  string
	// Me is the peer id of this node: it tells its own approvals from others', and is in no span.
	Me  string
	Log *slog.Logger
}

// Open returns a Book that tells a collector; nil where there is none.
func Open(o Options) (*Book, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	to := newCollector(o.Endpoint)
	q := newQueue(to.send, sendEvery, o.Log)
	b, err := newBook(q, o)
	if err != nil {
		q.stop()
		return nil, err
	}
	b.queue, b.to = q, to
	return b, nil
}

func newBook(to sdk.SpanProcessor, o Options) (*Book, error) {
	s, err := newSpans(o.Version, to)
	if err != nil {
		return nil, err
	}
	b := &Book{spans: s, now: time.Now, me: o.Me}
	b.forget()
	return b, nil
}

func (b *Book) forget() {
	b.known, b.byTx, b.parked = map[journal.EntryID]*course{}, map[string]journal.EntryID{}, map[string][]moment{}
	b.signed, b.handed = map[string]time.Time{}, map[string]string{}
}

// Close sends what is there, for a second at most.
func (b *Book) Close() {
	if b == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*lastTime)
	defer cancel()
	_ = b.spans.provider.Shutdown(ctx) // what was not sent is counted
	if b.to != nil {
		b.to.client.CloseIdleConnections()
	}
}

// Counts says how many spans a collector took, and how many it did not.
func (b *Book) Counts() (sent, dropped uint64) {
	if b == nil || b.queue == nil {
		return 0, 0
	}
	return b.queue.sent.Load(), b.queue.dropped.Load()
}

// Note tells what is new of a proposal.
func (b *Book) Note(p api.Proposal) {
	if b == nil {
		return
	}
	raw, err := hex.DecodeString(p.Proposal)
	if err != nil || len(raw) != len(journal.EntryID{}) {
		return
	}
	id, now := journal.EntryID(raw), b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.known[id]
	first := c == nil
	if first {
		b.room()
		c = &course{since: now, approvals: map[string]bool{}}
		b.known[id], b.byTx[p.TxID] = c, id
	}
	// What this node did not see from its beginning is not told anew after a restart.
	if first && (p.Status == api.StatusPending || p.Status == api.StatusFinal) {
		name := SpanReceived
		if b.mine(p.Author) {
			name = SpanEntered
		}
		b.spans.add(id, name, b.claimed(p.Created, now), now)
		c.status = api.StatusPending
	}
	for _, m := range b.parked[p.TxID] {
		b.spans.add(id, m.name, m.from, m.to, m.attrs...)
	}
	delete(b.parked, p.TxID)
	b.approvals(id, c, p, now, first)
	if p.Status == c.status {
		return
	}
	// It may be further than one step by the time that it is looked at.
	if from, to := slices.Index(steps, c.status), slices.Index(steps, p.Status); from >= 0 {
		for n := from + 1; n <= to; n++ {
			b.spans.add(id, stepSpans[n], c.since, now)
			c.since = now
		}
	}
	c.status, c.since = p.Status, now
}

// steps are the statuses of a proposal that is paid, and stepSpans what is told of each.
var (
	steps     = []string{api.StatusPending, api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed}
	stepSpans = []string{"", SpanFinal, SpanMempool, SpanConfirmed}
)

func (b *Book) approvals(id journal.EntryID, c *course, p api.Proposal, now time.Time, first bool) {
	for _, a := range p.Approvals {
		who := a.Cosigner.Name
		if a.Cosigner.PeerID != nil {
			who = *a.Cosigner.PeerID
		}
		if c.approvals[who] {
			continue
		}
		c.approvals[who] = true
		signed, here := b.signed[p.TxID]
		switch {
		case first && c.status == "":
			// It was approved before this run.
		case !b.mine(a.Cosigner):
			b.spans.add(id, SpanApproval, b.claimed(a.Time, now), now)
		case here:
			b.spans.add(id, SpanRelease, signed, now)
		default:
			b.spans.add(id, SpanRelease, b.claimed(a.Time, now), now)
		}
	}
}

func (b *Book) mine(p api.Person) bool { return p.PeerID != nil && *p.PeerID == b.me }

// claimed is when something began that somebody says began then.
func (b *Book) claimed(at, now time.Time) time.Time {
	if at.After(now) || now.Sub(at) > longest {
		return now
	}
	return at
}

// room makes some where there is too much: of what is forgotten less is told.
func (b *Book) room() {
	if len(b.known) >= maxKnown || len(b.parked) >= maxKnown || len(b.signed) >= maxKnown || len(b.handed) >= maxKnown {
		b.forget()
	}
}

// Signed tells that the signer of this node was asked for its signatures of a transaction.
func (b *Book) Signed(txid string, from, to time.Time, err error) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room()
	if err == nil {
		b.signed[txid] = to
	}
	b.of(txid, moment{SpanSign, from, to, []attribute.KeyValue{attribute.Bool("quorate.failed", err != nil)}})
}

// Handed tells how the Bitcoin node answered when a transaction was handed to it: in one
// word. What is the same as the last time is not told.
func (b *Book) Handed(txid, how string, from, to time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.handed[txid] == how {
		return
	}
	b.room()
	b.handed[txid] = how
	b.of(txid, moment{SpanHanded, from, to, []attribute.KeyValue{attribute.String("quorate.outcome", how)}})
}

// of tells of a transaction what is known of its proposal, once that is known.
func (b *Book) of(txid string, m moment) {
	if id, ok := b.byTx[txid]; ok {
		b.spans.add(id, m.name, m.from, m.to, m.attrs...)
		return
	}
	if len(b.parked[txid]) < 8 {
		b.parked[txid] = append(b.parked[txid], m)
	}
}
