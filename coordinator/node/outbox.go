package node

import (
	"context"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

// How much of the outbox is kept, and how often that is looked at.
const (
	keptNotices = 100_000
	keptAlarms  = 10_000
	keptFor     = 30 * 24 * time.Hour
	trimEvery   = time.Hour
)

// Told is a notice of the outbox with its number.
type Told struct {
	Number uint64
	port.Notice
}

// Notices returns what was told, by number, after one: at most limit of it, the
// highest number given so far, and the highest one that is kept no more.
func (n *Node) Notices(ctx context.Context, after uint64, limit int) (told []Told, last, dropped uint64, err error) {
	got, err := n.ports.Store.Notices(ctx, after, limit)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the outbox: %w", err)
	}
	for _, x := range got.Items {
		t := Told{Number: x.Number}
		if t.Notice, err = coordinator.DecodeNotice(x.NoticeRecord); err != nil {
			return nil, 0, 0, fmt.Errorf("read the outbox: %w", err)
		}
		told = append(told, t)
	}
	return told, got.Last, got.Dropped, nil
}

// Tell puts a notice of the node itself into the outbox, and then tells it.
func (n *Node) Tell(ctx context.Context, x port.Notice) error {
	x.Time = n.ports.Clock.Now()
	r, err := coordinator.EncodeNotice(x)
	if err == nil {
		err = n.ports.Store.Commit(ctx, port.Batch{Notices: []port.NoticeRecord{r}})
	}
	if err != nil {
		return fmt.Errorf("keep a notice: %w", err)
	}
	n.ports.Observer.Notify(x)
	return nil
}

// trim keeps the outbox within its bounds until the node is closed.
func (n *Node) trim() {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		keep := port.NoticeLimits{Since: n.ports.Clock.Now().Add(-keptFor).UnixMilli(), Alarms: keptAlarms, Others: keptNotices}
		if err := n.ports.Store.TrimNotices(n.ctx, keep); err != nil && n.ctx.Err() == nil {
			n.ports.Log.Warn("the outbox was not trimmed; it is tried again", "error", err)
		}
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tellOf puts a notice of the wallet that is no effect of a step into the outbox,
// and then tells it.
func (a *Actor) tellOf(x port.Notice) {
	x.Time = a.ports.Clock.Now()
	r, err := coordinator.EncodeNotice(x)
	if err == nil {
		err = a.commit(port.Batch{Group: a.group, Notices: []port.NoticeRecord{r}})
	}
	if err != nil {
		a.ports.Log.Warn("a notice is not kept", "wallet", a.group.String()[:8], "error", err)
	}
	a.execute(coordinator.Tell{Notice: x})
}
