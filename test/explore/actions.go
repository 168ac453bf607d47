package explore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// kind is what may happen.
type kind uint8

const (
	propose kind = iota
	replace
	approve
	reject
	withdraw
	deliver
	restart
	mine  // a block with the mempool
	reorg // the last block goes, two others come
	fork  // the liar writes a second entry where it wrote one
)

// action is one thing that happens to one node.
type action struct {
	kind  kind
	node  uint8
	which uint8 // of proposals or entries, in the order of their ids
	crash bool  // after the commit, before anything that follows
}

func (a action) String() string {
	name := [...]string{"proposes", "replaces", "approves", "rejects", "withdraws", "takes entry", "is killed and starts again", "a block", "a reorg", "forks its chain"}[a.kind]
	s := fmt.Sprintf("%c %s", 'A'+a.node, name)
	switch a.kind {
	case mine, reorg:
		s = name
	case replace, approve, reject, withdraw, deliver:
		s = fmt.Sprintf("%s %d", s, a.which)
	}
	if a.crash {
		s += ", and is killed after the commit"
	}
	return s
}

// actions lists what may happen next.
func (w *world) actions() []action {
	var out []action
	add := func(k kind, i, which int, many uint8) {
		if many > 0 {
			out = append(out, action{k, uint8(i), uint8(which), false})
			if w.left.Crash > 0 && (k == propose || k == replace || k == approve || k == deliver) {
				out = append(out, action{k, uint8(i), uint8(which), true})
			}
		}
	}
	for i := range w.nodes {
		add(propose, i, 0, w.left.Propose)
		for j := range w.proposals(i) {
			add(approve, i, j, 1)
			add(replace, i, j, w.left.Replace)
			add(reject, i, j, w.left.Reject)
			add(withdraw, i, j, w.left.Withdraw)
		}
		for j := range w.underWay(i) {
			add(deliver, i, j, 1)
		}
		if w.left.Crash > 0 {
			out = append(out, action{restart, uint8(i), 0, false})
		}
	}
	add(mine, 0, 0, w.left.Block)
	if len(w.chain.blocks) > 0 {
		add(reorg, 0, 0, w.left.Reorg)
	}
	if w.liar {
		add(fork, len(w.nodes)-1, 0, w.left.Fork)
	}
	return out
}

// proposals are those that a node knows of, in the order of their ids.
func (w *world) proposals(i int) []*coordinator.Proposal {
	out := w.nodes[i].m.Proposals()
	slices.SortFunc(out, func(a, b *coordinator.Proposal) int {
		x, y := a.ID(), b.ID()
		return slices.Compare(x[:], y[:])
	})
	return out
}

// underWay are the entries that a node does not hold and somebody else does, in
// the order of their chains. Where one is lost the next does not come either, so
// only the first of each chain is among them.
func (w *world) underWay(i int) []*journal.Entry {
	var out []*journal.Entry
	held := w.nodes[i].m.State.Chains()
	seen := map[journal.EntryID]bool{}
	take := func(e *journal.Entry) {
		if id := e.ID(); !seen[id] && !held.Has(id) {
			seen[id] = true
			if h := e.Header(); h.Seq == 1 || held.Has(h.Prev) {
				out = append(out, e)
			}
		}
	}
	for j := range w.nodes {
		if j == i {
			continue
		}
		f := held.Frontier()
		for k, at := range w.nodes[j].m.State.Chains().Frontier() {
			if f[k] != at { // else they hold the same of it
				w.nodes[j].disk.chain(k, take)
			}
		}
	}
	for _, e := range w.loose {
		if w.honest(i) {
			take(e)
		}
	}
	slices.SortFunc(out, func(a, b *journal.Entry) int {
		x, y := a.ID(), b.ID()
		return slices.Compare(x[:], y[:])
	})
	return out
}

// after returns the world in which an action has happened; ok is false where it
// changes nothing, because a rule refuses it.
func (w world) after(a action) (next world, ok bool, err error) {
	next = w.clone()
	i := int(a.node)
	if a.crash || a.kind == restart {
		next.left.Crash--
	}
	switch a.kind {
	case propose:
		next.left.Propose--
		err = next.do(i, w.payment(i), a.crash)
	case replace:
		next.left.Replace--
		x := w.payment(i)
		x.FeeRate *= 3
		x.Replaces = []journal.EntryID{w.proposals(i)[a.which].ID()}
		err = next.do(i, x, a.crash)
	case approve:
		err = next.do(i, coordinator.Approve{Proposal: w.proposals(i)[a.which].ID(), Allow: allowed()}, a.crash)
	case reject:
		next.left.Reject--
		err = next.do(i, coordinator.Reject{Proposal: w.proposals(i)[a.which].ID(), Reason: "no"}, false)
	case withdraw:
		next.left.Withdraw--
		err = next.do(i, coordinator.Withdraw{Proposal: w.proposals(i)[a.which].ID()}, false)
	case deliver:
		err = next.do(i, coordinator.EntryIn{Entry: w.underWay(i)[a.which]}, a.crash)
	case restart:
		err = next.restart(i)
	case mine:
		next.left.Block--
		err = next.extend(next.chain.mine(next.chain.mempool))
	case reorg:
		next.left.Reorg--
		err = next.reorg()
	case fork:
		next.left.Fork--
		if !next.fork(i) {
			return next, false, nil
		}
	}
	var b *broken
	if errors.As(err, &b) {
		return next, true, err
	}
	if errors.Is(err, coordinator.ErrGuardConflict) {
		return next, true, violation("%s: the store's own sign guard had to refuse a signature", w.Members[i].Name)
	}
	return next, err == nil, nil
}

// allowed overrides what only asks a person to look twice.
func allowed() []string { return []string{refusal.DoublePayment} }

// payment is what a member proposes: each its own, all of the same coin.
func (w *world) payment(i int) coordinator.Propose {
	script := make([]byte, 22)
	script[1], script[21] = 20, byte(i+1)
	return coordinator.Propose{
		Outputs: []coordinator.ProposalOutput{{PkScript: script, Amount: 50_000}}, FeeRate: 2000, Coins: w.Coins[:1], Allow: allowed(),
	}
}

func (w *world) extend(b block) error {
	for i := range w.nodes {
		if err := errors.Join(w.connect(i, b), w.caughtUp(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) reorg() error {
	gone := w.chain.drop()
	for i := range w.nodes {
		err := w.do(i, coordinator.ChainIn{Notice: coordinator.ChainNotice{Kind: coordinator.Disconnected, Block: gone.ref}}, false)
		if err == nil {
			err = w.see(i, gone.txs)
		}
		if err != nil {
			return err
		}
	}
	for range 2 {
		if err := w.extend(w.chain.mine(nil)); err != nil {
			return err
		}
	}
	return nil
}

// fork writes a second entry at the place of the liar's last one.
func (w *world) fork(i int) bool {
	me := w.Members[i]
	k := journal.ChainKey{Author: me.Self.Identity.Author(), Incarnation: 1}
	var last *journal.Entry
	w.nodes[i].disk.chain(k, func(e *journal.Entry) { last = e })
	ep, ok := w.nodes[i].m.State.Epoch()
	if last == nil || !ok || int(last.Header().Seq) <= w.written(i) {
		return false // only what it wrote in this walk
	}
	plain, err := coordinator.EncodeEvent(coordinator.Event{Time: w.now().UnixMilli(), Body: &coordinator.AddressLeased{Index: 7}})
	if err != nil {
		return false
	}
	h := last.Header()
	e, err := journal.Seal(me.Self.Identity, ep, journal.Next{Incarnation: 1, Seq: h.Seq, Prev: h.Prev}, plain, [24]byte{9})
	if err != nil {
		return false
	}
	w.loose = append(slices.Clone(w.loose), e)
	return true
}

// written is how many entries a member had written before the walk.
func (w *world) written(i int) int {
	n := 0
	for _, e := range w.Members[i].Entries {
		if e.Header().Author == w.Members[i].Self.Identity.Author() {
			n++
		}
	}
	return n
}
