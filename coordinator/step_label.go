package coordinator

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// MaxLabelEdits is how many labels one SetLabels takes: they are one commit.
const MaxLabelEdits = 256

// LabelEdit gives a target a label, in the place of what shows; "" takes it away.
type LabelEdit struct {
	Target event.LabelTarget
	Text   string
}

// SetLabels edits labels, all of them or none. The reply is a LabelsSet.
type SetLabels struct{ Edits []LabelEdit }

// LabelsSet is how many labels changed; the others were there already.
type LabelsSet struct{ Changed int }

// setLabels writes what is not so yet. It supersedes what each member says last
// of a target.
func (s *step) setLabels(x SetLabels) error {
	if _, err := s.seat(); err != nil {
		return err
	}
	if len(x.Edits) > MaxLabelEdits {
		return fmt.Errorf("%w: %d labels at once, at most %d", refusal.ErrBadRequest, len(x.Edits), MaxLabelEdits)
	}
	changed := 0
	for _, e := range x.Edits {
		if !s.m.Labelled(e.Target) {
			r := refusal.New(refusal.NotOfWallet, "it is no transaction, output or address of the wallet")
			if !s.m.View.Synced() {
				r = r.WithHint("this node has not seen the whole chain yet: try again when it is synced")
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
	answer(s, x, LabelsSet{changed})
	return nil
}

func (s *step) setLabel(e LabelEdit) (bool, error) {
	if l, _ := s.m.State.Label(e.Target); l.Text == e.Text {
		return false, nil
	}
	// What each member says last is named, not only what shows: this label then
	// stands in the place of all of it, whatever comes between.
	last, _ := s.m.State.LastLabels(e.Target)
	var over []journal.EntryID
	for _, f := range last {
		over = append(over, f.Ref.ID)
	}
	slices.SortFunc(over, func(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) })
	for {
		n := min(len(over), event.MaxSupersedes)
		b := &event.LabelSet{Target: e.Target.Kind, Of: e.Target.Bytes(), Text: e.Text, Supersedes: over[:n:n]}
		if _, err := s.write(b); err != nil {
			return false, err
		}
		if over = over[n:]; len(over) == 0 {
			return true, nil
		}
	}
}

// freeze writes what is not so yet, in the place of what each member says last of the coin.
func (s *step) freeze(x Freeze) error {
	if _, err := s.seat(); err != nil {
		return err
	}
	if _, ok := s.m.View.Out(x.Coin); !ok {
		r := refusal.New(refusal.NotOfWallet, "%v is no coin of the wallet", x.Coin)
		if !s.m.View.Synced() {
			r = r.WithHint("this node has not seen the whole chain yet: try again when it is synced")
		}
		return r
	}
	before, frozen := s.m.State.Frozen(x.Coin)
	if frozen == !x.Undo && (x.Undo || x.Note == "" || x.Note == before.Note) {
		answer(s, x, Done{}) // it is so already
		return nil
	}
	if by, spent := s.m.View.SpentBy(x.Coin); spent && !x.Undo {
		return refusal.New(refusal.Coin, "%v was spent by transaction %v", x.Coin, by)
	}
	if err := s.m.known(event.KindCoinFrozen, x.Allow); err != nil {
		return err
	}
	coin := event.OutputTarget(x.Coin).Bytes()
	for over := s.m.State.LastFreezes(x.Coin); ; {
		n := min(len(over), event.MaxSupersedes)
		if _, err := s.write(&event.CoinFrozen{Coin: coin, Frozen: !x.Undo, Note: x.Note, Supersedes: over[:n:n]}); err != nil {
			return err
		}
		if over = over[n:]; len(over) == 0 {
			break
		}
	}
	answer(s, x, Done{})
	return nil
}

// seat returns the key that this node signs with for the wallet.
func (s *step) seat() (int, error) {
	if s.m.State.Active() == nil {
		return 0, refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	k, ok := s.m.State.Active().Index(s.m.State.Me())
	if !ok {
		return 0, refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	return k, nil
}

// stop freezes all spending.
func (s *step) stop(x Stop) error {
	me, err := s.seat()
	if err != nil {
		return err
	}
	if id, stands := frozen.Own(s.m.State, s.m.View.Tip().Height, me, x.Reason); stands {
		answer(s, x, Stopped{id})
		return nil
	}
	if err := s.m.known(event.KindGroupFrozen, x.Allow); err != nil {
		return err
	}
	if s.m.State.FreezesStated(s.chainOfMine()) >= group.MaxFreezes {
		return refusal.New(refusal.Freezes, "this node froze the wallet %d times: the others count no more of one", group.MaxFreezes).WithHint("another cosigner can freeze it")
	}
	e, err := s.write(&event.GroupFrozen{Reason: x.Reason})
	if err != nil {
		return err
	}
	answer(s, x, Stopped{e.ID()})
	return nil
}

// lift says that this member is for lifting freezes.
func (s *step) lift(x Lift) error {
	me, err := s.seat()
	if err != nil {
		return err
	}
	if !s.m.View.Synced() {
		// The height that goes along would be an old one.
		return refusal.New(refusal.ChainBehind, "the chain is not synced on this node").WithHint("wait until `status` shows it synced")
	}
	lifts, err := frozen.Lifts(s.m.State, s.m.View.Tip().Height, me, x.Freezes)
	if err != nil {
		return err
	}
	for _, b := range lifts {
		if err := s.m.known(event.KindFreezeLifted, x.Allow); err != nil {
			return err
		}
		if _, err := s.write(b); err != nil {
			return err
		}
	}
	answer(s, x, Done{})
	return nil
}
