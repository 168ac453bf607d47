package soak_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorate/quorate/api"
)

// What a node can acknowledge.
const (
	proposing  = "proposal"
	approval   = "approval"
	rejection  = "rejection"
	withdrawal = "withdrawal"
	leasing    = "lease"
)

// ack is one thing that a node said was done.
type ack struct {
	What, Node string
	Proposal   string
	Inputs     int // of a proposal that was approved
	Index      uint32
	Address    string
	At         time.Time
}

func (a ack) String() string {
	if a.What == leasing {
		return fmt.Sprintf("lease of %s (%d) by %s", a.Address, a.Index, a.Node)
	}
	return fmt.Sprintf("%s of %s by %s", a.What, a.Proposal, a.Node)
}

// request is a proposal that a user asks for, until it is answered.
type request struct {
	Payment int // what it pays; a replacement has none of its own
	Body    api.Propose
}

// ledger is what the users remember. It is safe for concurrent use.
type ledger struct {
	mu       sync.Mutex
	requests int
	open     map[string][]request // by node: not answered, oldest first
	answered map[string]string    // request id: the proposal it gave
	payments map[string]int64     // address: amount
	acks     []ack
	tried    map[[2]string]bool // node and proposal: an approval was asked for
	repeats  atomic.Int64
}

func newLedger() *ledger {
	return &ledger{open: map[string][]request{}, answered: map[string]string{}, payments: map[string]int64{}, tried: map[[2]string]bool{}}
}

// request notes a new request before it is sent.
func (l *ledger) request(node string, of func(id int) request) request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	q := of(l.requests)
	q.Body.RequestID = fmt.Sprintf("request-%d", l.requests)
	// The note tells later which request a proposal came from.
	q.Body.Note += " " + q.Body.RequestID
	if q.Payment != 0 {
		l.payments[q.Body.To[0].Address] = q.Body.To[0].Amount
	}
	l.open[node] = append(l.open[node], q)
	return q
}

// unanswered returns the oldest request of a node that was not answered.
func (l *ledger) unanswered(node string) (request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open[node]) == 0 {
		return request{}, false
	}
	return l.open[node][0], true
}

func (l *ledger) close(q request) {
	for node, open := range l.open {
		l.open[node] = slices.DeleteFunc(open, func(o request) bool { return o.Body.RequestID == q.Body.RequestID })
	}
}

// refused forgets a request that a rule refused.
func (l *ledger) refused(q request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close(q)
}

// proposed notes an answer, and returns another answer that the request had before.
func (l *ledger) proposed(node string, q request, p api.Proposed) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close(q)
	if was, ok := l.answered[q.Body.RequestID]; ok {
		if was != p.Proposal {
			return was
		}
		return ""
	}
	l.answered[q.Body.RequestID] = p.Proposal
	l.add(ack{What: proposing, Node: node, Proposal: p.Proposal})
	if !q.Body.Unsigned {
		l.add(ack{What: approval, Node: node, Proposal: p.Proposal})
	}
	return ""
}

func (l *ledger) add(a ack) {
	a.At = time.Now()
	l.acks = append(l.acks, a)
}

func (l *ledger) note(a ack) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(a)
}

// tries notes that an approval is asked for: it ends a rejection, answered or not.
func (l *ledger) tries(node, proposal string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried[[2]string{node, proposal}] = true
}

// leased notes a lease and returns the earlier ones of that address.
func (l *ledger) leased(a ack) []ack {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []ack
	for _, b := range l.acks {
		if b.What == leasing && b.Address == a.Address {
			out = append(out, b)
		}
	}
	l.add(a)
	return out
}

// all returns what was acknowledged until now.
func (l *ledger) all() []ack {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.acks)
}

// lost returns what was acknowledged and a node does not show. Of leases only
// its store tells; see unleased.
func (l *ledger) lost(acks []ack, proposals []api.Proposal) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	shown := map[string]api.Proposal{}
	for _, p := range proposals {
		shown[p.Proposal] = p
	}
	var out []string
	for _, a := range acks {
		if a.What == leasing {
			continue
		}
		p, ok := shown[a.Proposal]
		if !ok || !l.shows(p, a) {
			out = append(out, a.String())
		}
	}
	return out
}

func (l *ledger) shows(p api.Proposal, a ack) bool {
	switch a.What {
	case approval:
		return slices.ContainsFunc(p.Approvals, func(x api.Approval) bool {
			return x.Cosigner.Name == a.Node && x.Signatures == len(p.Inputs)
		})
	case rejection:
		return l.tried[[2]string{a.Node, a.Proposal}] ||
			slices.ContainsFunc(p.Rejections, func(x api.Rejection) bool { return x.Cosigner.Name == a.Node })
	case withdrawal:
		// Released signatures may have completed it all the same.
		return slices.Contains([]string{"withdrawn", api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed, api.StatusConflicted, api.StatusReplaced}, p.Status)
	}
	return true
}

// unleased returns the leases that a node's store does not hold.
func unleased(acks []ack, holders func(index uint32) []string) []string {
	var out []string
	for _, a := range acks {
		if a.What == leasing && !slices.Contains(holders(a.Index), a.Node) {
			out = append(out, a.String())
		}
	}
	return out
}

// twice returns requests that gave more than one proposal.
func twice(proposals []api.Proposal) []string {
	by := map[api.Text]string{}
	var out []string
	for _, p := range proposals {
		if was, ok := by[p.Note]; ok {
			out = append(out, fmt.Sprintf("%s gave %s and %s", p.Note, was, p.Proposal))
		}
		by[p.Note] = p.Proposal
	}
	return out
}
