package coordinator

import (
	"fmt"
)

// MaxLabelEdits is how many labels one SetLabels takes: they are one commit.
const MaxLabelEdits = 256

// LabelEdit gives a target a label, in the place of what shows; "" takes it away.
type LabelEdit struct {
	Target LabelTarget
	Text   string
}

// SetLabels edits labels, all of them or none. The reply is a LabelsSet.
type SetLabels struct{ Edits []LabelEdit }

// LabelsSet is how many labels changed; the others were there already.
type LabelsSet struct{ Changed int }

// setLabels writes what is not so yet. It supersedes all that shows, or would
// show, for a target: a member who wrote many makes this node write several.
func (s *step) setLabels(x SetLabels) error {
	if s.m.State.active == nil {
		return refuse(RuleNotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if _, ok := s.m.State.active.index(s.m.State.Me()); !ok {
		return refuse(RuleNoKey, "this node holds no key of the wallet")
	}
	if len(x.Edits) > MaxLabelEdits {
		return fmt.Errorf("%w: %d labels at once, at most %d", ErrBadRequest, len(x.Edits), MaxLabelEdits)
	}
	changed := 0
	for _, e := range x.Edits {
		if !s.m.Labelled(e.Target) {
			r := refuse(RuleNotOfWallet, "it is no transaction, output or address of the wallet")
			if !s.m.View.Synced() {
				r = r.hint("this node has not seen the whole chain yet: try again when it is synced")
			}
			return r
		}
		wrote, err := s.setLabel(e)
		if err != nil {
			return err
		}
		if wrote {
			changed++
		}
	}
	s.do(Reply{LabelsSet{changed}})
	return nil
}

func (s *step) setLabel(e LabelEdit) (bool, error) {
	if l, _ := s.m.State.Label(e.Target); l.Text == e.Text {
		return false, nil
	}
	for heads := s.m.State.labelHeads(e.Target); ; {
		b := &LabelSet{Target: e.Target.Kind, Of: []byte(e.Target.of), Text: e.Text}
		for _, f := range heads[:min(len(heads), maxSupersedes)] {
			b.Supersedes = append(b.Supersedes, f.Ref.ID)
		}
		if _, err := s.write(b); err != nil {
			return false, err
		}
		if len(heads) <= maxSupersedes {
			return true, nil
		}
		left := s.m.State.labelHeads(e.Target)
		if len(left) >= len(heads) {
			return false, errOwnChain // what this node writes has no effect
		}
		heads = left
	}
}
