package apitest

import (
	"context"
	"slices"
	"strconv"

	"github.com/quorate/quorate/api"
)

// Tell keeps an event and tells the subscribers.
func (b *Backend) Tell(e api.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(e)
}

func (b *Backend) tell(e api.Event) {
	if !e.Live {
		b.last++
		e.ID = b.last
		b.events = append(b.events, e)
	}
	for _, s := range b.subs {
		select {
		case s <- e:
		default:
		}
	}
}

// Drop keeps the events up to an id no more.
func (b *Backend) Drop(id uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped = id
	b.events = slices.DeleteFunc(b.events, func(e api.Event) bool { return e.ID <= id })
}

// Events implements api.Backend.
func (b *Backend) Events(_ context.Context, q api.EventQuery) (api.EventPage, error) {
	if err := b.called("Events", nil); err != nil {
		return api.EventPage{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	page := api.EventPage{Last: b.last, Reset: q.After > 0 && (q.After < b.dropped || q.After > b.last)}
	for _, e := range b.events {
		if e.ID <= q.After {
			continue
		}
		if len(page.Items) == q.Limit {
			page.Next = api.Text(strconv.FormatUint(page.Items[q.Limit-1].ID, 10))
			break
		}
		page.Items = append(page.Items, e)
	}
	return page, nil
}
