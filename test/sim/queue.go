package sim

import (
	"container/heap"
	"time"
)

// happening is something that happens at a virtual time. Of two at one time the
// one that was put in first happens first.
type happening struct {
	at  time.Duration
	seq uint64
	do  func()
}

type eventHeap []happening

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

// queue is everything that will happen, in order.
type queue struct {
	now    time.Duration
	seq    uint64
	events eventHeap
}

// after lets something happen later.
func (q *queue) after(d time.Duration, do func()) {
	q.seq++
	heap.Push(&q.events, happening{q.now + d, q.seq, do})
}

// run lets everything happen that is due before a time, and goes on to it.
func (q *queue) run(until time.Duration, stop func() bool) {
	for len(q.events) > 0 && q.events[0].at <= until && !stop() {
		e := heap.Pop(&q.events).(happening)
		q.now = e.at
		e.do()
	}
	q.now = until
}
