package explore

import "slices"

// letter is what may happen.
type letter uint8

const (
	propose letter = iota
	replace
	approve
	reject
	withdraw
	deliver // the next entry of a chain
	lose    // an entry arrives while the one before it was lost
	repeat  // an entry that is held arrives again
	restart
	mine  // a block with the mempool
	reorg // the last block goes, two others come
	fork  // the liar writes a second entry in the place of one
	letters
)

func (l letter) String() string {
	return [...]string{"propose", "replace", "approve", "reject", "withdraw", "deliver", "lose", "repeat", "restart", "block", "reorg", "fork"}[l]
}

// action is a letter that happens to a node. which is a proposal or an entry, by
// its number in the setting.
type action struct {
	letter letter
	node   uint8
	crash  crash
	which  uint32
}

// actions lists what may happen next.
func (w *world) actions(out []action) []action {
	out = out[:0]
	add := func(l letter, i int, which uint32, many uint8) {
		if many == 0 {
			return
		}
		out = append(out, action{l, uint8(i), never, which})
		if w.left.Crash > 0 && l <= deliver {
			out = append(out, action{l, uint8(i), before, which}, action{l, uint8(i), after, which})
		}
	}
	for i, n := range w.each() {
		add(propose, i, 0, w.left.Propose)
		for _, p := range n.proposals {
			add(approve, i, p.entry, 1)
			add(replace, i, p.entry, w.left.Replace)
			add(reject, i, p.entry, w.left.Reject)
			add(withdraw, i, p.entry, w.left.Withdraw)
		}
		for _, e := range w.underWay(i) {
			if n.links(w.entries[e]) {
				add(deliver, i, e, 1)
			} else {
				add(lose, i, e, 1)
			}
		}
		for _, e := range n.held {
			if !n.repeated { // what comes of it does not depend on the others
				add(repeat, i, e, 1)
			}
		}
		add(restart, i, 0, w.left.Crash)
	}
	add(mine, 0, 0, w.left.Block)
	if len(w.chain.blocks) > 0 {
		add(reorg, 0, 0, w.left.Reorg)
	}
	if w.liar {
		for _, e := range w.nodes[w.members()-1].held {
			if w.entries[e].author == w.members()-1 {
				add(fork, w.members()-1, e, w.left.Fork)
			}
		}
	}
	return out
}

// underWay are the entries of the walk that a node does not hold and somebody
// else does, in the order in which the walk came to know them. The liar does not
// send its second entry to itself.
func (w *world) underWay(i int) []uint32 {
	var out []uint32
	held := w.nodes[i].held
	take := func(e uint32) {
		if _, has := slices.BinarySearch(held, e); has {
			return
		}
		if at, there := slices.BinarySearch(out, e); !there {
			out = slices.Insert(out, at, e)
		}
	}
	for j, n := range w.each() {
		if j != i {
			for _, e := range n.held {
				take(e)
			}
		}
	}
	if w.loose != 0 && w.honest(i) {
		take(w.loose - 1)
	}
	return out
}

// happen makes an action happen. It returns whether something came of it: a rule
// of the product may refuse it, or there may be nothing to do.
func (w *world) happen(a action) (bool, error) {
	i := int(a.node)
	if a.crash != never || a.letter == restart {
		w.left.Crash--
	}
	switch a.letter {
	case propose:
		w.left.Propose--
		return w.do(i, call{cmdPropose, 0}, a.crash)
	case replace:
		w.left.Replace--
		return w.do(i, call{cmdReplace, a.which}, a.crash)
	case approve:
		return w.do(i, call{cmdApprove, a.which}, a.crash)
	case reject:
		w.left.Reject--
		return w.do(i, call{cmdReject, a.which}, a.crash)
	case withdraw:
		w.left.Withdraw--
		return w.do(i, call{cmdWithdraw, a.which}, a.crash)
	case deliver, lose:
		return w.do(i, call{entryIn, a.which}, a.crash)
	case repeat:
		was := w.nodes[i]
		ok, err := w.do(i, call{entryIn, a.which}, never)
		if err == nil && !was.alike(w.nodes[i]) {
			err = violation("%s takes an entry for the second time, and is not what it was", w.Members[i].Name)
		}
		return ok, err
	case restart:
		return true, w.restart(i)
	case mine:
		w.left.Block--
		return true, w.extend(w.chain.mempool)
	case reorg:
		w.left.Reorg--
		return true, w.reorg()
	case fork:
		w.left.Fork--
		return true, w.fork(i, a.which)
	}
	return false, nil
}
