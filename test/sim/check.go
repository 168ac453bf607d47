package sim

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// finish lets everything come to rest, asks for one more payment, and checks
// what must hold at the end.
func (w *world) finish() {
	w.queue.run(w.queue.now+2*time.Minute, w.stop)
	if w.stop() {
		return
	}
	w.checkRosters()
	w.lastPayment()
	// What was told a moment ago is not everywhere yet.
	w.hushed = true
	w.queue.run(w.queue.now+2*time.Minute, w.stop)
	if w.stop() {
		return
	}
	// A block that came this very moment is not everywhere yet either, nor is what a
	// liar kept from a member until its last round of sync, which was this very moment.
	w.queue.run(w.queue.now+10*time.Second, w.stop)
	if !w.stop() {
		w.checkRead()
		w.checkDurable()
		w.checkStates()
		w.checkStatuses()
		w.checkOccasions()
		w.checkRobots()
	}
}

// lastPayment is liveness: k honest members who are connected and agree get a
// transaction final and mined, whatever the others do.
func (w *world) lastPayment() {
	honest := slices.DeleteFunc(w.honest(), (*node).isRobot) // a robot's key signs by no command
	if len(honest) < w.plan.K {
		w.count("groups without an honest quorum")
		w.settle()
		return
	}
	for _, n := range honest {
		if n.m.State.Active() == nil {
			if len(w.plan.Byzantine) == 0 {
				w.violation("%s is not active: %s", n.name, n.m.Missing())
			}
			w.count("groups that liars kept from being active")
			return
		}
	}
	tx := w.pay(honest[0].m.State.Active(), 0, 200_000)
	if tx == nil {
		return
	}
	coin := wire.OutPoint{Hash: tx.TxHash()}
	w.lastCoin = coin
	w.mine()
	w.queue.run(w.queue.now+20*time.Second, w.stop)
	proposer := honest[int(w.plan.Seed)%len(honest)]
	// Whoever was restored knows that its key signed nothing over a coin that is
	// newer, whatever a liar proposed over it.
	x := coordinator.Propose{
		Outputs: []event.ProposalOutput{{PkScript: recipient(200), Amount: 120_000}}, FeeRate: 3000, Coins: []wire.OutPoint{coin},
		Allow: []string{refusal.DoublePayment, refusal.Restored, refusal.MaybeSigned, refusal.CoinFrozen},
	}
	id, ok := w.insist(proposer, x)
	if !ok {
		return
	}
	w.settle()
	for _, n := range honest {
		if n != proposer {
			w.try(n, coordinator.Approve{Proposal: id, Allow: []string{refusal.DoublePayment, refusal.Restored, refusal.MaybeSigned, refusal.CoinFrozen}})
		}
	}
	w.settle()
	for _, n := range honest {
		p, ok := n.m.State.Proposal(id)
		if !ok {
			w.violation("%s does not hold the last proposal", n.name)
			return
		}
		if got := n.m.Status(p, n.clock()); got != group.StatusConfirmed && len(w.plan.Byzantine) < w.plan.K {
			w.violation("%s: the last proposal is %s, and %d of %d honest members approved it", n.name, got, len(honest), w.plan.N)
		} else if got != group.StatusConfirmed && !n.m.State.Final(p) { // a liar may show its signature to the miners alone
			w.violation("%s: the last proposal is not final, and %d of %d honest members approved it", n.name, len(honest), w.plan.N)
		}
	}
	w.count("last payments final")
}

// settle lets two minutes pass, with blocks.
func (w *world) settle() {
	for range 4 {
		w.queue.run(w.queue.now+30*time.Second, w.stop)
		w.mine()
	}
	w.queue.run(w.queue.now+10*time.Second, w.stop)
}

// insist proposes, as often as the chain is behind.
func (w *world) insist(n *node, x coordinator.Propose) (journal.EntryID, bool) {
	v, ok := w.try(n, x)
	if !ok {
		return journal.EntryID{}, false
	}
	return v.(coordinator.Proposed).Proposal, true
}

// try repeats a command for a while.
func (w *world) try(n *node, msg coordinator.Message) (any, bool) {
	var err error
	for range 5 {
		var v any
		if v, err = n.command(Action{Kind: "last"}, msg); err == nil {
			return v, true
		}
		var r *refusal.Refusal
		if !errors.As(err, &r) {
			break
		}
		if r.Rule == refusal.AlreadyFinal {
			return nil, false // it is mined already, and that is as good
		}
		w.queue.run(w.queue.now+15*time.Second, w.stop)
		if w.stop() {
			return nil, false
		}
	}
	if _, spent := w.chain.spender(w.lastCoin); spent && len(w.plan.Byzantine) >= w.plan.K {
		w.count("last payments that k liars were faster than")
		return nil, false
	}
	w.violation("%s: the last %T is refused: %v", n.name, msg, err)
	return nil, false
}

// checkDurable: nothing that was acknowledged is lost.
func (w *world) checkDurable() {
	for _, n := range w.honest() {
		for _, a := range n.acked {
			if n.disk.entries[a.entry] == nil {
				w.violation("%s: %s was acknowledged and is lost", n.name, a.what)
				return
			}
		}
	}
}

// checkRosters: all who have the wallet have the same one, and all who are
// honest are members of it.
func (w *world) checkRosters() {
	var hash [32]byte
	for _, n := range w.honest() {
		a := n.m.State.Active()
		if a == nil {
			continue
		}
		if hash != [32]byte{} && hash != a.Hash {
			w.violation("%s has another wallet than others who are honest", n.name)
		}
		hash = a.Hash
		for _, x := range w.honest() {
			if !slices.ContainsFunc(a.Members, func(m group.Member) bool { return m.Identity == x.id() }) {
				w.violation("%s has a wallet of which %s is no member", n.name, x.name)
			}
		}
	}
}

// checkStates: the same entries give the same state, here, after a restart, and
// at all others; and all who are honest hold the same chains.
func (w *world) checkStates() {
	var first *node
	digests := map[*node]group.Digest{}
	for _, n := range w.honest() {
		if !n.in {
			if w.nodes[0].honest() {
				w.violation("%s never got into the group", n.name)
			}
			continue
		}
		d, err := n.m.State.Digest()
		if err != nil {
			w.violation("%s: digest: %v", n.name, err)
			return
		}
		delete(n.disk.records, "snapshot") // every entry is folded again
		m, err := coordinator.Load(context.Background(), n.disk, n.self, w.group)
		if err != nil {
			w.violation("%s: load: %v", n.name, err)
			return
		}
		again, err := m.State.Digest()
		if err != nil || again != d {
			w.violation("%s: the state is another one after a restart (%v)", n.name, err)
			return
		}
		if n.m.State.Active() == nil && !w.nodes[0].honest() {
			continue // a founder who lies can keep members from knowing each other
		}
		digests[n] = d
		if first == nil {
			first = n
			continue
		}
		w.checkPair(first, n, digests[first], d)
	}
}

func (w *world) checkPair(a, b *node, x, y group.Digest) {
	if x.Entries == y.Entries && x.Secrets == y.Secrets {
		w.count("equal entries")
		if x.Says != y.Says {
			w.violation("%s and %s hold the same entries and say something else", a.name, b.name)
		}
		w.sameAnswers(a, b, &a.m, &b.m)
		return
	}
	w.count("entries differ at the end")
	f, g := a.m.State.Chains(), b.m.State.Chains()
	ours, theirs := memberChains(a), memberChains(b)
	for k, p := range ours {
		if w.deferred && w.lies(k.Author) {
			continue // one may have taken more of it than the other
		}
		if theirs[k] != p {
			w.violation("%s and %s do not hold the same: chain %s/%d ends at %d and %d", a.name, b.name, w.name(k.Author), k.Incarnation, p.Seq, theirs[k].Seq)
		}
		if f.ForkedAt(k) != g.ForkedAt(k) {
			w.violation("%s and %s know different forks of %s", a.name, b.name, w.name(k.Author))
		}
	}
	w.checkUnion(a, b)
	if w.deferred {
		return
	}
	w.checkSignatures(a, b)
	w.checkSignatures(b, a)
	if len(ours) != len(theirs) {
		w.violation("%s and %s hold %d and %d chains", a.name, b.name, len(ours), len(theirs))
	}
}

// memberChains is where the chains of those end whose entries a node takes: one
// that is active takes none of strangers whom a founder admitted before, though
// it may hold some.
func memberChains(n *node) journal.Frontier {
	f := n.m.State.Chains().Frontier()
	for k := range f {
		if !slices.Contains(n.m.State.Members(), k.Author) {
			delete(f, k)
		}
	}
	return f
}

// checkUnion: what one lacks of a fork makes all the difference: given all that
// either holds, two who can read the same make the same of it.
func (w *world) checkUnion(a, b *node) {
	var got [2]group.Digest
	for i, n := range []*node{a, b} {
		all := n.disk.clone()
		for _, x := range []*node{a, b} {
			for _, e := range x.disk.entries {
				all.add(e)
			}
		}
		m, err := coordinator.Load(context.Background(), all, n.self, w.group)
		if err == nil {
			got[i], err = m.State.Digest()
		}
		if err != nil {
			w.violation("%s does not load what %s and %s hold together: %v", n.name, a.name, b.name, err)
			return
		}
	}
	if got[0].Entries == got[1].Entries && got[0].Secrets == got[1].Secrets {
		w.count("equal unions")
		if got[0].Says != got[1].Says {
			w.violation("%s and %s, given the same entries, say something else", a.name, b.name)
		}
	}
}

// checkSignatures: whatever fork a signature was found behind, all who are
// honest count it, while it may still matter.
func (w *world) checkSignatures(a, b *node) {
	for _, p := range a.m.Proposals() {
		if s := group.Derive(a.m.State, a.m.View, a.clock(), p); s == group.StatusConfirmed || s == group.StatusDead {
			continue
		}
		if !w.real(a, p) {
			continue // what spends no coin of the wallet is of no use to anybody
		}
		w.count("signatures compared")
		if x, y := complete(a, p), complete(b, p); x > y {
			w.violation("%s counts the signatures of %d keys on %v, and %s those of %d", a.name, x, p.TxID, b.name, y)
		}
	}
}

// real says whether a proposal spends coins that the chain has, unspent, and
// states what they are.
func (w *world) real(n *node, p *group.Proposal) bool {
	for _, in := range p.Body.Inputs {
		o := in.OutPoint()
		if _, spent := w.chain.spender(o); spent || w.chain.confirmed(o.Hash) == 0 {
			return false
		}
		coin, there := w.chain.prevOut(o)
		script, err := n.m.State.Active().Descriptor.Script(in.Branch, in.Index)
		if !there || err != nil || coin.Value != in.Amount || !bytes.Equal(coin.PkScript, script.PkScript) {
			return false
		}
	}
	return true
}

// complete returns how many keys signed all of a proposal: a part of a key's
// signatures, which makes nothing final, is not passed on past a fork.
func complete(n *node, p *group.Proposal) (keys int) {
	for _, g := range n.m.Approvals(p) {
		if g.Signatures == len(p.Body.Inputs) {
			keys++
		}
	}
	return keys
}

// checkStatuses: a status follows from the signatures held and from the chain,
// however it came about.
func (w *world) checkStatuses() {
	for _, n := range w.honest() {
		if n.m.State.Active() == nil || n.blind {
			continue
		}
		for _, p := range n.m.Proposals() {
			full := 0
			for _, g := range n.m.Approvals(p) {
				if g.Signatures == len(p.Body.Inputs) {
					full++
				}
			}
			got := group.Derive(n.m.State, n.m.View, n.clock(), p)
			confirmed := w.chain.confirmed(p.TxID) > 0
			switch {
			case confirmed != (got == group.StatusConfirmed):
				w.violation("%s: a proposal is %s, and in the chain: %v", n.name, got, confirmed)
			case full >= w.plan.K && !n.m.State.Final(p):
				w.violation("%s: a proposal with %d of %d signatures is not final", n.name, full, w.plan.K)
			case full < w.plan.K && n.m.State.Final(p):
				w.violation("%s: a proposal with %d of %d signatures is final", n.name, full, w.plan.K)
			case n.m.State.Final(p) && !w.builds(n, p):
				w.violation("%s: a proposal with all its signatures is no transaction", n.name)
			case full >= w.plan.K && got != group.StatusConfirmed && got != group.StatusDead && w.free(n, p):
				w.violation("%s: a proposal with %d of %d signatures is %s, and was not mined", n.name, full, w.plan.K, got)
			}
		}
	}
}

// builds says whether a node can make the transaction of a final proposal.
func (w *world) builds(n *node, p *group.Proposal) bool {
	_, err := n.m.Tx(p)
	return err == nil
}

// free says whether nothing keeps a proposal from being mined: its coins are
// there, and are as it states. (k liars may sign what is not.)
func (w *world) free(n *node, p *group.Proposal) bool {
	if tx, err := n.m.Tx(p); err != nil || w.chain.check(tx) != nil {
		return false
	}
	for _, in := range p.Body.Inputs {
		if w.chain.confirmed(in.TxID) == 0 {
			return false
		}
		if _, spent := w.chain.spender(in.OutPoint()); spent {
			return false
		}
	}
	return true
}
