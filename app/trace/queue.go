package trace

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// maxQueued is how many spans wait to be sent; what comes then is dropped.
	maxQueued = 2048
	// maxBatch is how many are sent at once.
	maxBatch = 256
	// sendEvery is how often it is looked whether some wait.
	sendEvery = time.Second
	// sendTime is how long a collector may take, and lastTime how long at the end.
	sendTime = 10 * time.Second
	lastTime = time.Second
	// maxBackoff is how long a collector that is away is left alone.
	maxBackoff = time.Minute
)

// queue holds spans until a collector takes them. Whoever adds one never waits; what does
// not fit is dropped and counted.
type queue struct {
	send  func(context.Context, []sdk.ReadOnlySpan) (rejected int, err error)
	log   *slog.Logger
	every time.Duration

	spans         chan sdk.ReadOnlySpan
	sent, dropped atomic.Uint64

	stop     context.CancelFunc
	stopped  context.Context
	stopOnce sync.Once
	done     chan struct{}
}

func newQueue(send func(context.Context, []sdk.ReadOnlySpan) (int, error), every time.Duration, log *slog.Logger) *queue {
	q := &queue{send: send, log: log, every: every, spans: make(chan sdk.ReadOnlySpan, maxQueued), done: make(chan struct{})}
	q.stopped, q.stop = context.WithCancel(context.Background())
	go q.run()
	return q
}

// OnStart implements sdk.SpanProcessor.
func (q *queue) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	select {
	case q.spans <- s:
	default:
		q.dropped.Add(1)
	}
}

// ForceFlush implements sdk.SpanProcessor. Nothing waits for a collector.
func (q *queue) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor: what waits is sent once more, for lastTime at most.
func (q *queue) Shutdown(ctx context.Context) error {
	q.stopOnce.Do(q.stop)
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) run() {
	defer close(q.done)
	tick := time.NewTicker(q.every)
	defer tick.Stop()
	var batch []sdk.ReadOnlySpan
	var away, left time.Duration // how long the collector is left alone, and how much of that is left
	for {
		select {
		case <-q.stopped.Done():
			q.last(batch)
			return
		case <-tick.C:
		}
		if left -= q.every; left > 0 {
			continue
		}
		for {
			if batch = q.more(batch); len(batch) == 0 {
				break
			}
			err := q.try(q.stopped, sendTime, batch)
			if err != nil && !errors.Is(err, errRefused) {
				if away == 0 {
					q.log.Warn("the collector of traces is away: they are kept, and dropped beyond some", "error", err, "kept", maxQueued)
				}
				away = min(max(2*away, q.every), maxBackoff)
				left = away
				break
			}
			if away, batch = 0, nil; err != nil {
				q.log.Warn("traces were dropped", "error", err)
			}
		}
	}
}

// more fills a batch with what waits.
func (q *queue) more(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	for len(batch) < maxBatch {
		select {
		case s := <-q.spans:
			batch = append(batch, s)
		default:
			return batch
		}
	}
	return batch
}

// try sends a batch, and counts it unless it is to be sent again.
func (q *queue) try(ctx context.Context, within time.Duration, batch []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	rejected, err := q.send(ctx, batch)
	switch {
	case err == nil:
		q.sent.Add(uint64(len(batch) - rejected))
		q.dropped.Add(uint64(rejected))
	case errors.Is(err, errRefused):
		q.dropped.Add(uint64(len(batch)))
	}
	return err
}

// last sends what waits, as long as that may take at an end, and drops the rest.
func (q *queue) last(batch []sdk.ReadOnlySpan) {
	ctx, cancel := context.WithTimeout(context.Background(), lastTime)
	defer cancel()
	for {
		if batch = q.more(batch); len(batch) == 0 {
			return
		}
		if err := q.try(ctx, lastTime, batch); err != nil && !errors.Is(err, errRefused) {
			q.dropped.Add(uint64(len(batch) + len(q.spans)))
			return
		}
		batch = nil
	}
}
