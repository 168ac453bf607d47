package sim

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// place is where an entry of a chain is.
type place struct {
	chain journal.ChainKey
	seq   uint64
}

// release is a transaction that a node signed, and let the signature go.
type release struct {
	tx     chainhash.Hash
	inputs []wire.OutPoint
}

// wrote looks at an entry that an honest member made durable: no place of its
// chain holds two, and a signature in it must be one that it may release.
func (w *world) wrote(n *node, e *journal.Entry, m coordinator.Machine) {
	w.single(n, e)
	if body, ok := w.read(e, n.m, m); ok {
		switch b := body.(type) {
		case *event.ProposalApproved:
			w.releases(n, b.Proposal, m)
			if tx, unasked := b.Through(); unasked {
				w.unasked(n, b.Proposal, tx, m)
			}
		case *event.SignatureCarried:
			w.carries(n, b, m)
		}
		if w.look != nil {
			w.look(n, e, body, m)
		}
	}
}

// published looks at an entry that an honest member sends: it is durable.
func (w *world) published(n *node, e *journal.Entry) {
	w.single(n, e)
	if n.disk.entries[e.ID()] == nil {
		w.counts["published before it was durable"]++
	}
}

func (w *world) single(n *node, e *journal.Entry) {
	p := place{e.Chain(), e.Position().Seq}
	if id, ok := w.authored[p]; ok && id != e.ID() {
		w.violation("%s, who is honest, wrote two entries at seq %d", n.name, p.seq)
	}
	w.authored[p] = e.ID()
}

// foreign looks at an entry that an honest member took: one of an honest author
// is by that author.
func (w *world) foreign(n *node, e *journal.Entry) {
	for _, x := range w.honest() {
		if x.id() == e.Header().Author && w.authored[place{e.Chain(), e.Position().Seq}] != e.ID() {
			w.violation("%s took an entry in the name of %s, who is honest and did not write it", n.name, x.name)
		}
	}
}

// read opens an entry of a node by what one of its machines knows.
func (w *world) read(e *journal.Entry, machines ...coordinator.Machine) (event.Body, bool) {
	if e.Header().Suite == journal.SuitePlain {
		return nil, false
	}
	for _, m := range machines {
		if m.State.Group() != w.group {
			continue // it was not founded yet
		}
		ep, ok := m.State.EpochHeld(e.Header().Epoch)
		if !ok {
			continue
		}
		plain, err := journal.Open(ep, e)
		if err != nil {
			continue
		}
		ev, err := event.Decode(plain)
		return ev.Body, err == nil
	}
	w.counts["entries that the checker cannot read"]++
	return nil, false
}

// releases checks a signature that a node lets go against all it let go before.
func (w *world) releases(n *node, id journal.EntryID, m coordinator.Machine) {
	p, ok := m.State.Proposal(id)
	if !ok {
		w.violation("%s signed a proposal that it does not know", n.name)
		return
	}
	w.count("signatures released")
	w.checkTerms(n, p, m)
	w.ledger(n, &n.released, p, m)
}

// unasked checks what a node signed without asking against what its user agreed to: the
// same coins, the same payees, no higher fee; and nothing that it knows is against it.
func (w *world) unasked(n *node, id journal.EntryID, tx chainhash.Hash, m coordinator.Machine) {
	q, ok := m.State.Proposal(id)
	agreed, was := n.agreedTo[tx]
	if !ok || !was || agreed.fee == 0 {
		w.violation("%s signed a bump by itself that its user did not agree to", n.name)
		return
	}
	w.count("bumps signed as agreed to before")
	paid := func(p *group.Proposal) (out []event.ProposalOutput) {
		for _, o := range p.Body.Outputs {
			if o.Change == nil {
				out = append(out, event.ProposalOutput{PkScript: o.PkScript, Amount: o.Amount})
			}
		}
		return out
	}
	same := func(a, b event.ProposalOutput) bool {
		return string(a.PkScript) == string(b.PkScript) && a.Amount == b.Amount
	}
	if q.Fee() > agreed.fee || !slices.Equal(q.Body.Inputs, agreed.p.Body.Inputs) || !slices.EqualFunc(paid(q), paid(agreed.p), same) {
		w.violation("%s signed by itself what is no bump up to %d sat: a fee of %d", n.name, agreed.fee, q.Fee())
	}
	for _, p := range m.Proposals() {
		shares := slices.ContainsFunc(p.Body.Inputs, func(i event.ProposalInput) bool {
			return slices.ContainsFunc(q.Body.Inputs, func(j event.ProposalInput) bool { return i.OutPoint() == j.OutPoint() })
		})
		if shares && len(paid(p)) == 0 {
			w.violation("%s signed a bump by itself that somebody wants cancelled", n.name)
		}
		if (p.TxID == tx || p.TxID == q.TxID) && (len(m.Rejections(p)) > 0 || m.State.Withdrawn(p)) {
			w.violation("%s signed a bump by itself that somebody is against", n.name)
		}
	}
}

// ledger enters what a key signed, and compares it with all that it signed before.
func (w *world) ledger(n *node, released *[]release, p *group.Proposal, m coordinator.Machine) {
	r := release{tx: p.TxID}
	if slices.ContainsFunc(*released, func(old release) bool { return old.tx == r.tx }) {
		w.count("signatures said again")
		return // they are out: who ends what was agreed to beforehand says them once more
	}
	for _, in := range p.Body.Inputs {
		r.inputs = append(r.inputs, in.OutPoint())
	}
	for _, old := range *released {
		if (n.restored || n.replaced) && !slices.ContainsFunc(m.Proposals(), func(q *group.Proposal) bool { return q.TxID == old.tx }) {
			w.count("signed what it cannot know to be a rival") // all that knew of it is gone, or hides it
			continue
		}
		if old.tx == r.tx || slices.Contains(p.Body.Replaces, old.tx) || w.buried(old, m.View) {
			continue
		}
		for _, o := range r.inputs {
			if slices.Contains(old.inputs, o) {
				w.violation("%s signed %v and then %v on the coin %v, and the second does not replace the first", n.name, old.tx, r.tx, o)
				return
			}
		}
	}
	if slices.ContainsFunc(*released, func(old release) bool {
		return old.tx != r.tx && slices.ContainsFunc(old.inputs, func(o wire.OutPoint) bool { return slices.Contains(r.inputs, o) })
	}) {
		w.count("coins signed for twice, as allowed")
	}
	*released = append(*released, r)
}

// buried says whether a transaction can never confirm, for a rival six deep in
// the view of a node. It asks the chain, not the node's own guard.
func (w *world) buried(r release, v ledger.View) bool {
	for _, tx := range w.chain.ever {
		if id := w.chain.id(tx); id != r.tx && v.Confirmations(id) >= 6 {
			for _, o := range r.inputs {
				if spends(tx, o) {
					return true
				}
			}
		}
	}
	return false
}

// carries checks that a node passes on signatures of its own only where it
// released them.
func (w *world) carries(n *node, b *event.SignatureCarried, m coordinator.Machine) {
	p, ok := m.State.Proposal(b.Proposal)
	if !ok {
		return
	}
	w.count("signatures carried")
	for _, s := range b.Signatures {
		a := m.State.Active()
		if a == nil || int(s.Key) >= len(a.Members) || a.Members[s.Key].Identity != n.id() {
			continue
		}
		if !slices.ContainsFunc(n.released, func(r release) bool { return r.tx == p.TxID }) {
			w.violation("%s carries a signature of its own that it never released", n.name)
		}
	}
}

// The bounds of docs/protocol.md, written down once more.
const (
	maxFeeFloor = 50_000
	maxFeeShare = 20
	changeGap   = 20
)

// checkTerms checks that what a node signs is what an approver may sign.
func (w *world) checkTerms(n *node, p *group.Proposal, m coordinator.Machine) {
	var pays int64
	for _, o := range p.Body.Outputs {
		if o.Change == nil {
			pays += o.Amount
		}
	}
	if fee := p.Fee(); fee > max(pays/maxFeeShare, maxFeeFloor) {
		w.violation("%s signed a fee of %d sat for a payment of %d", n.name, fee, pays)
	}
	spend, err := p.Spend(m.State.Active())
	if err != nil || spend.TxID() != p.TxID {
		w.violation("%s signed what is no transaction: %v", n.name, err)
		return
	}
	var branch1 uint32
	for _, tx := range w.chain.ever {
		branch1 = max(branch1, w.changeUsed(tx, m.State.Active()))
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil && *o.Change >= branch1+changeGap {
			w.violation("%s signed change to index %d, used are %d", n.name, *o.Change, branch1)
		}
	}
	for _, in := range p.Body.Inputs {
		out, ok := w.chain.prevOut(in.OutPoint())
		if !ok {
			// Change of a final transaction that is not broadcast yet.
			out, ok = w.unbroadcast(in.OutPoint(), m)
		}
		s, err := m.State.Active().Descriptor.Script(in.Branch, in.Index)
		if !ok || err != nil || out.Value != in.Amount || string(out.PkScript) != string(s.PkScript) {
			w.violation("%s signed for the coin %v, which is not as stated", n.name, in.OutPoint())
		}
	}
}

func (w *world) unbroadcast(o wire.OutPoint, m coordinator.Machine) (*wire.TxOut, bool) {
	if t, ok := m.View.Tx(o.Hash); ok && int(o.Index) < len(t.Tx.TxOut) {
		return t.Tx.TxOut[o.Index], true
	}
	return nil, false
}

// changeScripts are the first scripts of the change branch, by index.
func (w *world) changeScripts(a *group.Active) map[string]uint32 {
	if w.change == nil {
		w.change = map[string]uint32{}
		for i := range uint32(40) {
			if s, err := a.Descriptor.Script(wallet.BranchChange, i); err == nil {
				w.change[string(s.PkScript)] = i
			}
		}
	}
	return w.change
}

// changeUsed is one past the highest change index that a transaction pays, of
// the first hundred.
func (w *world) changeUsed(tx *wire.MsgTx, a *group.Active) uint32 {
	var used uint32
	for _, o := range tx.TxOut {
		if at, ok := w.changeScripts(a)[string(o.PkScript)]; ok {
			used = max(used, at+1)
		}
	}
	return used
}

// broadcasting looks at a final transaction: k valid signatures over exactly
// the outputs of a proposal.
func (w *world) broadcasting(n *node, tx *wire.MsgTx) {
	if !n.honest() || w.broadcasts[tx.WitnessHash()] {
		return
	}
	w.broadcasts[tx.WitnessHash()] = true
	w.count("transactions final")
	id := tx.TxHash()
	var refused error
	for _, p := range n.m.Proposals() {
		if p.TxID != id || !n.m.State.Final(p) { // another entry of it may state other amounts
			continue
		}
		if len(p.Body.Inputs) != len(tx.TxIn) || len(p.Body.Outputs) != len(tx.TxOut) {
			break
		}
		var prev []wallet.Output
		a := n.m.State.Active()
		for i, in := range p.Body.Inputs {
			s, err := a.Descriptor.Script(in.Branch, in.Index)
			if err != nil || tx.TxIn[i].PreviousOutPoint != in.OutPoint() {
				w.violation("%s broadcasts %v, which spends other coins than were proposed", n.name, id)
				return
			}
			prev = append(prev, wallet.Output{PkScript: s.PkScript, Amount: in.Amount})
		}
		for i, o := range p.Body.Outputs {
			script := o.PkScript
			if o.Change != nil {
				s, err := a.Descriptor.Script(wallet.BranchChange, *o.Change)
				if err != nil {
					return
				}
				script = s.PkScript
			}
			if tx.TxOut[i].Value != o.Amount || string(tx.TxOut[i].PkScript) != string(script) {
				w.violation("%s broadcasts %v, which pays other outputs than were proposed", n.name, id)
			}
		}
		if refused = wallet.CheckTx(tx, prev); refused == nil {
			return
		}
	}
	if refused != nil {
		w.violation("%s broadcasts what the script engine refuses: %v", n.name, refused)
		return
	}
	if len(w.plan.Byzantine) >= w.plan.K {
		w.count("broadcast what k liars proposed and no longer stands")
		return
	}
	w.violation("%s broadcasts %v, which nobody proposed", n.name, id)
}
