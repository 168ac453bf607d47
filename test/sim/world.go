package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// world is one run: a group, its network, its chain, and what goes wrong.
type world struct {
	pool    *Pool
	plan    Plan
	base    *funded
	group   journal.GroupID
	invites []port.Invite
	start   time.Time
	queue   *queue
	rng     *rand.Rand
	nodes   []*node
	chain   *chain
	cuts    map[pair]int
	beside  *world // the other wallet of the same nodes, if they have one
	faulty  bool   // faults last
	calm    *calm
	// lastCoin is what the last payment is to spend.
	lastCoin wire.OutPoint
	released []release // by the cosigner without a node
	funded   bool

	steps      int
	trace      [32]byte
	counts     map[string]int
	violations []string
	log        []string
	authored   map[place]journal.EntryID // what honest members wrote
	broadcasts map[[32]byte]bool         // transactions that were looked at
	change     map[string]uint32
	deferred   bool // entries of a liar are not taken yet somewhere
	hushed     bool // liars lie no more

	// Of runs of another kind: what they do about an action; what they look at of what an
	// honest member made durable; and that they leave out what is looked at every few steps.
	acts func(Action) bool
	look func(*node, *journal.Entry, event.Body, coordinator.Machine)
	lean bool
}

func (w *world) context() context.Context { return context.Background() }

func (w *world) count(what string) { w.counts[what]++ }

// violation records that something does not hold. The run ends.
func (w *world) violation(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf("%v: ", w.queue.now)+fmt.Sprintf(format, args...))
}

func (w *world) stop() bool {
	return len(w.violations) > 0 || w.beside != nil && len(w.beside.violations) > 0
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%8s ", w.queue.now.Truncate(time.Millisecond))+fmt.Sprintf(format, args...))
}

// honest returns the members who follow the protocol.
func (w *world) honest() []*node {
	var out []*node
	for _, n := range w.nodes {
		if n.honest() {
			out = append(out, n)
		}
	}
	return out
}

// traced adds a batch to the trace.
func (w *world) traced(n *node, b port.Batch) {
	parts := [][]byte{w.trace[:], []byte(n.name)}
	for _, e := range b.Entries {
		parts = append(parts, e.Bytes())
	}
	for _, k := range slices.Sorted(maps.Keys(b.Puts)) {
		parts = append(parts, []byte(k), b.Puts[k])
	}
	w.trace = journal.H("trace", parts...)
}

func seconds(r uint32, most uint32) time.Duration {
	return time.Duration(1+r%most) * time.Second
}

// snapshot is what an actor stores from time to time.
func (n *node) snapshot() {
	if !n.up || !n.in || n.m.State.Active() == nil {
		return
	}
	parts, _, err := n.m.Snapshots().Batches(n.m)
	if err != nil {
		n.w.violation("%s: snapshot: %v", n.name, err)
		return
	}
	for _, b := range parts {
		if n.commit(n.m, b, nil) != nil {
			return
		}
	}
	n.w.count("snapshots")
}

// anyActive returns the wallet, once somebody honest has it.
func (w *world) anyActive() *group.Active {
	for _, n := range w.honest() {
		if a := n.m.State.Active(); a != nil {
			return a
		}
	}
	return nil
}

func (w *world) name(a journal.Author) string {
	for _, n := range w.nodes {
		if n.id() == a {
			return n.name
		}
	}
	return a.String()[:8]
}
