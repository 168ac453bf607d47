package simulate

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

const (
	// MaxProposals is how many are gone through at most.
	MaxProposals = 20_000
	// maxLooks is how often one proposal is decided about.
	maxLooks = 64
	// blockSeconds is how long a block takes, about; finalBehind how far the median time past of
	// the newest final block is behind.
	blockSeconds = 600
	finalBehind  = 7200
)

// Errors of Run.
var (
	ErrTooMany = errors.New("more proposals than are gone through at once")
	// ErrPolicy is returned for a policy that no robot of this wallet could follow.
	ErrPolicy = errors.New("no robot of this wallet could follow the policy")
)

// Query is what is to be gone through.
type Query struct {
	State  group.State
	View   ledger.View
	Policy *policy.Policy
	// Since is from which claimed time on, and Now the present; Unix seconds.
	Since, Now int64
}

// Item is what would have become of a proposal.
type Item struct {
	Proposal *group.Proposal
	Amount   int64 // what goes to others, satoshis
	Verdict  policy.Verdict
	At       int64 // when the robot would have come to it, Unix seconds
}

// Report is what a policy would have done.
type Report struct {
	Robot  policy.Key // whose robot it is
	Items  []Item     // by claimed time, the oldest first
	Meters []Outflow  // by the policy's order
	// Unsound is how many proposals describe no transaction of the wallet.
	Unsound int
}

// run is a simulation in work.
type run struct {
	q        Query
	key      policy.Key
	compiled *robot.Compiled
	lives    []*life
	wakes    wakes
	burials  []burial
	ledger   robot.Trial
	signed   map[chainhash.Hash]bool
	first    map[chainhash.Hash]int64 // when a transaction was first entered
	full     map[int]bool             // lives that wait for room in a meter
	made     []made
}

// burial is a spend of the wallet's coins, and when it was six deep, about.
type burial struct {
	at, median int64
	tx         chainhash.Hash
	coins      []wire.OutPoint
}

// Run goes through the proposals of a wallet in order of time. It returns ErrTooMany,
// ErrPolicy, or the context's error.
func Run(ctx context.Context, q Query) (Report, error) {
	a := q.State.Active()
	if a == nil {
		return Report{}, robot.ErrNotActive
	}
	if q.Policy.Robots == 0 {
		return Report{}, fmt.Errorf("%w: it has no robots", ErrPolicy)
	}
	c, err := robot.Compile(q.Policy, [32]byte{}, wallet.Network(q.State.Genesis().Network), q.View)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	r := &run{q: q, compiled: c, signed: map[chainhash.Hash]bool{}, first: map[chainhash.Hash]int64{}, full: map[int]bool{}}
	for k := range policy.Key(policy.MaxKeys) {
		if q.Policy.Robots.Has(k) {
			r.key = k
			break
		}
	}
	out := Report{Robot: r.key}
	if out.Unsound, err = r.begin(); err != nil {
		return Report{}, err
	}
	if err := r.live(ctx); err != nil {
		return Report{}, err
	}
	for _, l := range r.lives {
		out.Items = append(out.Items, Item{l.p, amountOf(l.facts), l.verdict, l.at})
	}
	out.Meters = r.outflows()
	return out, nil
}

// begin gathers the proposals, and what became of coins.
func (r *run) begin() (unsound int, err error) {
	var all []*group.Proposal
	for p := range r.q.State.ByTime(nil) { // the newest first
		at := p.Ref.Time / 1000
		if old, ok := r.first[p.TxID]; p.Sound && (!ok || at < old) {
			r.first[p.TxID] = at
		}
		switch {
		case at < r.q.Since:
			continue
		case !p.Sound:
			unsound++
			continue
		case len(all) == MaxProposals:
			return 0, ErrTooMany
		}
		all = append(all, p)
	}
	slices.Reverse(all)
	for n, p := range all {
		l, err := r.lifeOf(p)
		if err != nil {
			return 0, err
		}
		r.lives = append(r.lives, l)
		r.wakes = append(r.wakes, wake{l.begun, n})
	}
	heap.Init(&r.wakes)
	for id, t := range r.q.View.Txs() {
		if r.q.View.Confirmations(id) < ledger.BuriedDepth {
			continue
		}
		b := burial{at: t.Block.Time + (ledger.BuriedDepth-1)*blockSeconds, median: medianOf(t), tx: id}
		for _, in := range t.Tx.TxIn {
			if _, ours := r.q.View.Out(in.PreviousOutPoint); ours {
				b.coins = append(b.coins, in.PreviousOutPoint)
			}
		}
		if len(b.coins) > 0 {
			r.burials = append(r.burials, b)
		}
	}
	slices.SortFunc(r.burials, func(a, b burial) int { return cmp.Or(cmp.Compare(a.at, b.at), slices.Compare(a.tx[:], b.tx[:])) })
	return unsound, nil
}

// medianOf is the median time past of a transaction's block.
func medianOf(t ledger.ViewTx) int64 {
	if t.Block.MedianTime > 0 {
		return t.Block.MedianTime
	}
	return max(0, t.Block.Time-3600)
}

// live goes through the moments at which something may have changed, in order.
func (r *run) live(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch next, more := r.room(); {
		case more:
			r.bury(next)
			for n := range r.full {
				r.wake(n, next)
			}
			clear(r.full)
			continue
		case r.wakes.Len() == 0:
			return nil
		}
		w := heap.Pop(&r.wakes).(wake)
		r.bury(w.at)
		if l := r.lives[w.life]; !l.done && w.at <= l.end {
			r.look(w.life, w.at)
		}
	}
}

// room is when a spend may next make room in a meter that somebody waits for, before anything
// else happens.
func (r *run) room() (at int64, more bool) {
	if len(r.full) == 0 || len(r.burials) == 0 {
		return 0, false
	}
	at = r.burials[0].at
	return at, r.wakes.Len() == 0 || at <= r.wakes[0].at
}

// bury takes in the spends that were final by a time.
func (r *run) bury(at int64) {
	n := 0
	for ; n < len(r.burials) && r.burials[n].at <= at; n++ {
		b := r.burials[n]
		r.ledger = r.ledger.Buried(b.tx, b.coins, b.median)
	}
	r.burials = r.burials[n:]
}

// look decides about a proposal at a time.
func (r *run) look(n int, at int64) {
	l := r.lives[n]
	if l.looks++; l.looks > maxLooks {
		l.done = true
		return
	}
	f := r.factsAt(l, at)
	v := policy.Decide(r.q.Policy, &f)
	if r.signed[l.p.TxID] {
		v = policy.Verdict{Outcome: policy.OutcomeSign} // by another entry of it
	}
	if l.at == 0 || v.Outcome != l.verdict.Outcome || !slices.Equal(v.Reasons, l.verdict.Reasons) {
		l.at = at
	}
	l.verdict, l.last = v, l.lastBy(r.q.Policy, v, at)
	switch v.Outcome {
	case policy.OutcomeSign:
		l.done = true
		r.sign(l, at)
	case policy.OutcomeDeny:
		l.done = true
	case policy.OutcomeWait, policy.OutcomeAsk:
		if slices.Contains(v.Reasons, policy.ReasonMeterFull) {
			r.full[n] = true
		}
		if next := r.next(l, at); next > at {
			r.wake(n, next)
		}
	}
}

func (r *run) wake(n int, at int64) {
	if at <= r.lives[n].end {
		heap.Push(&r.wakes, wake{at, n})
	}
}

// sign counts a proposal as signed.
func (r *run) sign(l *life, at int64) {
	if r.signed[l.p.TxID] {
		return
	}
	r.signed[l.p.TxID] = true
	x := made{at: at, takes: l.takes}
	r.ledger, x.charged = r.ledger.Signed(l.p, l.takes, at)
	if t, ok := r.q.View.Tx(l.p.TxID); ok && t.Block.Height > 0 {
		x.mined, x.median = true, medianOf(t)
	}
	r.made = append(r.made, x)
}

// wake is a moment at which a proposal is looked at.
type wake struct {
	at   int64
	life int
}

// wakes is a heap of them, the earliest first.
type wakes []wake

func (w wakes) Len() int { return len(w) }
func (w wakes) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(w[i].at, w[j].at), cmp.Compare(w[i].life, w[j].life)) < 0
}
func (w wakes) Swap(i, j int) { w[i], w[j] = w[j], w[i] }
func (w *wakes) Push(x any)   { *w = append(*w, x.(wake)) }
func (w *wakes) Pop() any {
	old := *w
	x := old[len(old)-1]
	*w = old[:len(old)-1]
	return x
}
