package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
)

// labelFact is what somebody called something. Its target is in its key.
type labelFact struct {
	Ref        Ref               `cbor:"1,keyasint"`
	Text       string            `cbor:"2,keyasint"`
	Supersedes []journal.EntryID `cbor:"3,keyasint,omitempty"`
}

// Label is what shows for a target: a member's words, which nothing verifies.
type Label struct {
	Target LabelTarget
	Text   string
	Ref    Ref
}

func (s State) foldLabel(ref Ref, b *LabelSet) State {
	s.labels = s.labels.Set(b.target().key()+string(ref.ID[:]), labelFact{ref, b.Text, b.Supersedes})
	return s
}

// labelHeads returns the labels of a target that none in effect supersedes, by
// entry id. In effect are those of members, untainted, once the wallet is active.
func (s State) labelHeads(t LabelTarget) []labelFact {
	if s.active == nil {
		return nil
	}
	var all []labelFact
	gone := map[journal.EntryID]bool{}
	for _, f := range scan(s.labels, t.key()) {
		if s.tainted(f.Ref) || !s.active.mayWrite(f.Ref.Chain.Author) {
			continue
		}
		all = append(all, f)
		for _, id := range f.Supersedes {
			gone[id] = true
		}
	}
	heads := all[:0]
	for _, f := range all {
		if !gone[f.Ref.ID] {
			heads = append(heads, f)
		}
	}
	return heads
}

// Label returns what shows for a target: of several that nothing supersedes,
// that with the lowest id. It returns false where nothing shows.
func (s State) Label(t LabelTarget) (Label, bool) {
	heads := s.labelHeads(t)
	if len(heads) == 0 || heads[0].Text == "" {
		return Label{}, false
	}
	return Label{t, heads[0].Text, heads[0].Ref}, true
}

// Labels returns every label that shows, of whatever the members gave one: see
// Machine.Labelled for what is the wallet's. They are ordered by target.
func (s State) Labels() []Label {
	var out []Label
	var last LabelTarget
	for k := range s.labels.All() {
		t := targetOf(k)
		if t == last {
			continue
		}
		last = t
		if l, ok := s.Label(t); ok {
			out = append(out, l)
		}
	}
	return out
}

// LabelReader reads the labels of one State. It works each target out once: a
// member may have written thousands of labels of one address.
type LabelReader struct {
	s     State
	known map[LabelTarget]string
}

// LabelReader returns a reader of the labels as they are now.
func (s State) LabelReader() *LabelReader {
	return &LabelReader{s, map[LabelTarget]string{}}
}

// Text returns what shows for a target, or "".
func (r *LabelReader) Text(t LabelTarget) string {
	text, ok := r.known[t]
	if !ok {
		l, _ := r.s.Label(t)
		text = l.Text
		r.known[t] = text
	}
	return text
}

// OfCoin returns the label of a coin: its own, else that of its address, else
// that of its transaction.
func (r *LabelReader) OfCoin(v View, c ViewOut) string {
	if text := r.Text(OutputTarget(c.OutPoint)); text != "" {
		return text
	}
	if t, ok := v.Tx(c.OutPoint.Hash); ok && int(c.OutPoint.Index) < len(t.Tx.TxOut) {
		if text := r.Text(AddressTarget(t.Tx.TxOut[c.OutPoint.Index].PkScript)); text != "" {
			return text
		}
	}
	return r.Text(TxTarget(c.OutPoint.Hash))
}

// OfTx returns the label of a transaction and who wrote it: its own, else the
// note of the proposal that stands for it, by its author, else "". Anybody may
// enter a transaction again with another note: of several proposals only one
// whose author's key signed the transaction speaks for it.
func (r *LabelReader) OfTx(id chainhash.Hash) (string, journal.Author) {
	if r.s.active == nil {
		return "", journal.Author{}
	}
	if l, ok := r.s.Label(TxTarget(id)); ok {
		return l.Text, l.Ref.Chain.Author
	}
	all := r.s.copiesOf(id)
	for _, p := range all {
		if len(all) == 1 || r.s.authorSigned(p) {
			return p.Body.Note, p.Author()
		}
	}
	return "", journal.Author{}
}

// Labelled says whether a target is this wallet's, as far as this node knows: a
// transaction that it sees or that is proposed, an output of one, an address
// that it watches.
func (m *Machine) Labelled(t LabelTarget) bool {
	if t.Kind == LabelAddress {
		_, ok := m.View.scripts.Get(t.of)
		return ok
	}
	outputs := 0
	if tx, ok := m.View.Tx(t.TxID()); ok {
		outputs = len(tx.Tx.TxOut)
	} else if p, ok := m.State.lead(t.TxID()); ok {
		outputs = len(p.Body.Outputs)
	}
	switch t.Kind {
	case LabelTx:
		return outputs > 0
	case LabelOutput:
		return int64(t.OutPoint().Index) < int64(outputs)
	}
	return false
}

// viewsRetainted works out anew what addresses and labels rest on (see derived).
func (s State) viewsRetainted(retaint) State { return s }
