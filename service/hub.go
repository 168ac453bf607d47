package service

import (
	"sync"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
)

// hubBuffer is how many events wait for one slow subscriber before it is cut off.
const hubBuffer = 256

// Hub passes notices on to subscribers. It never blocks: who does not keep up
// is cut off, and reads what is there when it subscribes again.
type Hub struct {
	mu   sync.Mutex
	subs map[chan api.Event]bool
	done bool
}

// NewHub returns one without subscribers.
func NewHub() *Hub { return &Hub{subs: map[chan api.Event]bool{}} }

// Notify implements port.Observer.
func (h *Hub) Notify(n port.Notice) { h.send(eventOf(n)) }

// NotifyLive passes on what no list has.
func (h *Hub) NotifyLive(n port.Notice) {
	e := eventOf(n)
	e.Live = true
	h.send(e)
}

func eventOf(n port.Notice) api.Event {
	if n.Time.IsZero() {
		n.Time = time.Now()
	}
	e := api.Event{Type: n.Type, Time: api.Time(n.Time), Status: api.Text(n.Status), Message: api.Text(n.Detail)}
	if n.Group != ([32]byte{}) {
		e.Wallet = api.Text(n.Group.String())
	}
	if n.Proposal != ([32]byte{}) {
		e.Proposal = api.Text(n.Proposal.String())
	}
	return e
}

func (h *Hub) send(e api.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		select {
		case c <- e:
		default:
			delete(h.subs, c)
			close(c)
		}
	}
}

func (h *Hub) subscribe() (<-chan api.Event, func()) {
	c := make(chan api.Event, hubBuffer)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		close(c)
		return c, func() {}
	}
	h.subs[c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.subs[c] {
			delete(h.subs, c)
			close(c)
		}
	}
}

// Close ends all subscriptions, and those to come.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = true
	for c := range h.subs {
		delete(h.subs, c)
		close(c)
	}
}
