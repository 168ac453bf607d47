package group

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
)

// LabelReader reads the labels of one State. It works each target out once: a
// member may have written thousands of labels of one address.
type LabelReader struct {
	s     labelFacts
	known map[event.LabelTarget]string
}

// Labelled says whether there are labels at all.
func (s labelFacts) Labelled() bool { return s.labels.Len() > 0 }

// LabelReader returns a reader of the labels as they are now.
func (s labelFacts) LabelReader() *LabelReader {
	return &LabelReader{s, map[event.LabelTarget]string{}}
}

// Text returns what shows for a target, or "".
func (r *LabelReader) Text(t event.LabelTarget) string {
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
func (r *LabelReader) OfCoin(v ledger.View, c ledger.ViewOut) string {
	if text := r.Text(event.OutputTarget(c.OutPoint)); text != "" {
		return text
	}
	if t, ok := v.Tx(c.OutPoint.Hash); ok && int(c.OutPoint.Index) < len(t.Tx.TxOut) {
		if text := r.Text(event.AddressTarget(t.Tx.TxOut[c.OutPoint.Index].PkScript)); text != "" {
			return text
		}
	}
	return r.Text(event.TxTarget(c.OutPoint.Hash))
}

// OfTx returns the label of a transaction and who wrote it: its own, else the
// note of the proposal that stands for it, by its author, else "". Anybody may
// enter a transaction again with another note: of several proposals only one
// whose author's key signed the transaction, as the one that stands for it states
// its inputs, speaks for it.
func (r *LabelReader) OfTx(id chainhash.Hash) (string, journal.Author) {
	if r.s.active == nil {
		return "", journal.Author{}
	}
	if l, ok := r.s.Label(event.TxTarget(id)); ok {
		return l.Text, l.Ref.Chain.Author
	}
	all := r.s.CopiesOf(id)
	for _, p := range all {
		if len(all) == 1 || p.signs == all[0].signs && r.s.authorSigned(p) {
			return p.Body.Note, p.Author()
		}
	}
	return "", journal.Author{}
}

// Labels returns every label that shows, of whatever the members gave one: see
// Machine.Labels for what is the wallet's. They are ordered by target.
func (s labelFacts) Labels() []Label {
	return s.LabelledTargets(func(event.LabelTarget) bool { return true })
}

// LabelledTargets returns the labels that show of some targets. It passes each target
// once, however many labels it has.
func (s labelFacts) LabelledTargets(wanted func(event.LabelTarget) bool) []Label {
	var out []Label
	for from := byLabel(""); ; {
		var t event.LabelTarget
		for k := range s.labels.From(from) {
			t = event.TargetOf(string(k))
			break
		}
		if t == (event.LabelTarget{}) {
			return out
		}
		from = beyond(byLabel(t.Key()))
		if !wanted(t) {
			continue
		}
		if l, ok := s.Label(t); ok {
			out = append(out, l)
		}
	}
}
