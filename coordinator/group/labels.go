package group

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
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
	Target event.LabelTarget
	Text   string
	Ref    Ref
}

// newestLabels is how many of an author's labels of one target are asked what
// they supersede: its newest. This node's own name what every member says last,
// so that the newest one is enough.
const newestLabels = 64

// foldLabel keeps every label, in the order in which labelsOf wants them. An
// author's allowance holds at most 32,768, or 4,096 that supersede as many as
// they may, at about their size on the wire: 32 MiB.
func (s State) foldLabel(ref Ref, b *event.LabelSet) State {
	k := labelsBy(b.On(), ref.Chain.Author) + string(newestFirst(ref.Chain.Incarnation, ref.Seq)) + string(ref.ID[:])
	s.labels = s.labels.Set(k, labelFact{ref, b.Text, b.Supersedes})
	return s
}

func labelsBy(t event.LabelTarget, who journal.Author) string { return t.Key() + string(who[:]) }

// newestFirst orders the labels of an author: the last incarnation first, and of
// one the last entry first.
func newestFirst(incarnation uint8, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{^incarnation}, ^seq)
}

// labelsOf returns the newest labels of a target by an author that are not
// tainted, at most so many. What is tainted is passed over, not gone through.
func (s State) labelsOf(t event.LabelTarget, who journal.Author, most int) []labelFact {
	var out []labelFact
	prefix := labelsBy(t, who)
	for from := prefix; ; {
		again := ""
		for k, f := range s.labels.From(from) {
			if !strings.HasPrefix(k, prefix) || len(out) == most {
				return out
			}
			c := f.Ref.Chain
			first := s.TaintedFrom(c)
			if first == 0 || f.Ref.Seq < first {
				out = append(out, f)
				continue
			}
			if again = prefix + string(newestFirst(c.Incarnation, first-1)); first == 1 && c.Incarnation > 0 {
				again = prefix + string(newestFirst(c.Incarnation-1, math.MaxUint64))
			}
			break
		}
		if again == "" || again <= from {
			return out
		}
		from = again
	}
}

// beyond is behind all labels whose key begins so: longer than what follows the
// target in a key, and after all of it.
func beyond(prefix string) string {
	return prefix + strings.Repeat("\xff", len(journal.Author{})+1+8+len(journal.EntryID{})+1)
}

// lastLabels returns what each member says last of a target, by author, and
// those of its labels that say what they supersede. In effect are labels of
// members, untainted, once the wallet is active.
func (s State) LastLabels(t event.LabelTarget) (last []labelFact, all [][]labelFact) {
	if s.active == nil {
		return nil, nil
	}
	for from := t.Key(); ; {
		next := ""
		for k := range s.labels.From(from) {
			if strings.HasPrefix(k, t.Key()) {
				next = k
			}
			break
		}
		if next == "" {
			return last, all
		}
		who := journal.Author([]byte(next[len(t.Key()):][:len(journal.Author{})]))
		from = beyond(labelsBy(t, who))
		if !s.mayWrite(who) {
			continue
		}
		if of := s.labelsOf(t, who, newestLabels); len(of) > 0 {
			last, all = append(last, of[0]), append(all, of)
		}
	}
}

// labelHeads returns, of what each member says last of a target, the labels that
// no label in effect supersedes, by entry id.
func (s State) labelHeads(t event.LabelTarget) []labelFact {
	last, all := s.LastLabels(t)
	var heads []labelFact
	for _, f := range last {
		if !slices.ContainsFunc(all, func(of []labelFact) bool {
			return slices.ContainsFunc(of, func(g labelFact) bool { return g.supersedes(f.Ref.ID) })
		}) {
			heads = append(heads, f)
		}
	}
	slices.SortFunc(heads, func(a, b labelFact) int { return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:]) })
	return heads
}

// supersedes says whether a label names another; its list ascends.
func (f labelFact) supersedes(id journal.EntryID) bool {
	_, ok := slices.BinarySearchFunc(f.Supersedes, id, func(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) })
	return ok
}

// Label returns what shows for a target: of what the members say last and
// nothing supersedes, that with the lowest id. It returns false where nothing shows.
func (s State) Label(t event.LabelTarget) (Label, bool) {
	heads := s.labelHeads(t)
	if len(heads) == 0 || heads[0].Text == "" {
		return Label{}, false
	}
	return Label{t, heads[0].Text, heads[0].Ref}, true
}

// LabelsLeft returns how many labels of a target stand beside each other: of what
// the members say last, those that no label in effect supersedes.
func (s State) LabelsLeft(t event.LabelTarget) int { return len(s.labelHeads(t)) }

// Labels returns every label that shows, of whatever the members gave one: see
// Machine.Labels for what is the wallet's. They are ordered by target.
func (s State) Labels() []Label {
	return s.LabelledTargets(func(event.LabelTarget) bool { return true })
}

// labelled returns the labels that show of some targets. It passes each target
// once, however many labels it has.
func (s State) LabelledTargets(wanted func(event.LabelTarget) bool) []Label {
	var out []Label
	for from := ""; ; {
		var t event.LabelTarget
		for k := range s.labels.From(from) {
			t = event.TargetOf(k)
			break
		}
		if t == (event.LabelTarget{}) {
			return out
		}
		from = beyond(t.Key())
		if !wanted(t) {
			continue
		}
		if l, ok := s.Label(t); ok {
			out = append(out, l)
		}
	}
}

// LabelReader reads the labels of one State. It works each target out once: a
// member may have written thousands of labels of one address.
type LabelReader struct {
	s     State
	known map[event.LabelTarget]string
}

// LabelReader returns a reader of the labels as they are now.
func (s State) LabelReader() *LabelReader {
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

// viewsRetainted has nothing to work out anew (see derived): leases and labels are
// kept so that whether they are tainted is asked when they are read, of few.
func (s State) viewsRetainted(retaint) State { return s }
