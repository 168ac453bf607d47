package group

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

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
func (s labelFacts) foldLabel(ref Ref, b *event.LabelSet) labelFacts {
	s.labels = s.labels.Set(labelPlace(b.On(), ref), labelFact{Ref: ref, Text: b.Text, Supersedes: b.Supersedes})
	return s
}

func labelPlace(t event.LabelTarget, ref Ref) byLabel {
	return labelsBy(t, ref.Chain.Author) + byLabel(mapkey.NewestFirst(ref.Chain.Incarnation, ref.Seq)) + byLabel(ref.ID[:])
}

// said is what members say of targets: of labels, or of freezes.
type said = pmap.Map[byLabel, labelFact]

func labelsBy(t event.LabelTarget, who journal.Author) byLabel {
	return byLabel(t.Key()) + byLabel(who[:])
}

// labelsOf returns the newest labels of a target by an author that are not
// tainted, at most so many. What is tainted is passed over, not gone through.
func (s labelFacts) labelsOf(of said, t event.LabelTarget, who journal.Author, most int) []labelFact {
	var out []labelFact
	prefix := labelsBy(t, who)
	for from := prefix; ; {
		again := byLabel("")
		for k, f := range of.From(from) {
			if !strings.HasPrefix(string(k), string(prefix)) || len(out) == most {
				return out
			}
			c := f.Ref.Chain
			first := s.TaintedFrom(c)
			if first == 0 || f.Ref.Seq < first {
				out = append(out, f)
				continue
			}
			if again = prefix + byLabel(mapkey.NewestFirst(c.Incarnation, first-1)); first == 1 && c.Incarnation > 0 {
				again = prefix + byLabel(mapkey.NewestFirst(c.Incarnation-1, math.MaxUint64))
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
func beyond(prefix byLabel) byLabel {
	return prefix + byLabel(strings.Repeat("\xff", len(journal.Author{})+1+8+len(journal.EntryID{})+1))
}

// LastLabels returns what each member says last of a target, by author, and
// those of its labels that say what they supersede. In effect are labels of
// members, untainted, once the wallet is active.
func (s labelFacts) LastLabels(t event.LabelTarget) (last []labelFact, all [][]labelFact) {
	return s.lastOf(s.labels, t)
}

func (s labelFacts) lastOf(said said, t event.LabelTarget) (last []labelFact, all [][]labelFact) {
	if s.active == nil {
		return nil, nil
	}
	for from := byLabel(t.Key()); ; {
		next := byLabel("")
		for k := range said.From(from) {
			if strings.HasPrefix(string(k), t.Key()) {
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
		if of := s.labelsOf(said, t, who, newestLabels); len(of) > 0 {
			last, all = append(last, of[0]), append(all, of)
		}
	}
}

// labelHeads returns, of what each member says last of a target, the labels that
// no label in effect supersedes, by entry id.
func (s labelFacts) labelHeads(t event.LabelTarget) []labelFact { return s.headsOf(s.labels, t) }

func (s labelFacts) headsOf(said said, t event.LabelTarget) []labelFact {
	last, all := s.lastOf(said, t)
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
func (s labelFacts) Label(t event.LabelTarget) (Label, bool) {
	heads := s.labelHeads(t)
	if len(heads) == 0 || heads[0].Text == "" {
		return Label{}, false
	}
	return Label{t, heads[0].Text, heads[0].Ref}, true
}

// viewsRetainted has nothing to work out anew (see derived): leases and labels are
// kept so that whether they are tainted is asked when they are read, of few.
func (s labelFacts) viewsRetainted(retaint) labelFacts { return s }

// LabelsLeft returns how many labels of a target stand beside each other: of what
// the members say last, those that no label in effect supersedes.
func (s labelFacts) LabelsLeft(t event.LabelTarget) int { return len(s.labelHeads(t)) }

type labelKept struct {
	Labels  []record.Pair[labelFact] `cbor:"30,keyasint"`
	Freezes []record.Pair[labelFact] `cbor:"34,keyasint"`
}

func (s labelFacts) kept() labelKept { return labelKept{record.Dump(s.labels), record.Dump(s.freezes)} }

func (k labelKept) into(s *labelFacts) {
	record.Undump(&s.labels, k.Labels)
	record.Undump(&s.freezes, k.Freezes)
}

// labelFact is what somebody called something, or said of a coin. Its target is in its key.
type labelFact struct {
	Ref        Ref               `cbor:"1,keyasint"`
	Text       string            `cbor:"2,keyasint"`
	Supersedes []journal.EntryID `cbor:"3,keyasint,omitempty"`
	Frozen     bool              `cbor:"4,keyasint,omitempty"` // of a freeze, whose note Text is
}
