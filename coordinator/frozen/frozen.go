// Package frozen is what it comes to that members froze all spending from a wallet: whom
// that stops, what stands, and who is told.
package frozen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// AlarmGroup is the kind of the alarm that stands while nobody signs.
const AlarmGroup = "group_frozen"

// InEffect returns the freezes that have effect where the chain has a height.
func InEffect(s group.State, tip int32) (out []group.GroupFreeze) {
	for _, f := range s.GroupFreezes(tip) {
		if f.Rests == 0 {
			out = append(out, f)
		}
	}
	return out
}

// Check refuses to sign while a freeze has effect.
func Check(s group.State, tip int32, allow []string) error {
	if slices.Contains(allow, refusal.Frozen) {
		return nil
	}
	all := InEffect(s, tip)
	if len(all) == 0 {
		return nil
	}
	why := ""
	if f := all[0]; f.Reason != "" {
		why = fmt.Sprintf(": %q", display.Line(f.Reason))
	}
	return refusal.New(refusal.Frozen, "spending from this wallet was frozen by %s%s", by(s, all), why).
		WithHint("`quorate unfreeze` lifts it, with %d members; if you must sign all the same, repeat with --allow %s", s.LiftsNeeded(), refusal.Frozen).MayOverride()
}

// by names the members whose freezes these are.
func by(s group.State, all []group.GroupFreeze) string {
	var names []string
	for _, f := range all {
		if name := s.Active().Members[f.Key].Called(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Standing says what the alarm says while freezes have effect, and since when one does. It
// has no reason in it: alarms are logged.
func Standing(s group.State, tip int32) (text string, since time.Time, stands bool) {
	all := InEffect(s, tip)
	if len(all) == 0 {
		return "", time.Time{}, false
	}
	first := all[0].Ref.Time
	for _, f := range all {
		first = min(first, f.Ref.Time)
	}
	return fmt.Sprintf("spending from this wallet was frozen by %s: nobody signs for it until %d members lift that with `quorate unfreeze`; `quorate wallet show` says why",
		by(s, all), s.LiftsNeeded()), time.UnixMilli(first), true
}

// Own returns the freeze of a member that stands already, where no other reason is given.
func Own(s group.State, tip int32, key int, reason string) (journal.EntryID, bool) {
	for _, f := range s.GroupFreezes(tip) {
		if f.Key == key && (reason == "" || reason == f.Reason) {
			return f.Ref.ID, true
		}
	}
	return journal.EntryID{}, false
}

// Lifts are what a member has to say to be for lifting freezes, each of which stands: none
// where it has said so.
func Lifts(s group.State, tip int32, key int, freezes []journal.EntryID) (out []*event.FreezeLifted, err error) {
	if len(freezes) == 0 {
		return nil, fmt.Errorf("%w: no freeze is named", refusal.ErrBadRequest)
	}
	standing := s.GroupFreezes(tip)
	var ids []journal.EntryID
	for _, id := range freezes {
		i := slices.IndexFunc(standing, func(f group.GroupFreeze) bool { return f.Ref.ID == id })
		if i < 0 {
			return nil, refusal.New(refusal.NoFreeze, "no freeze %s stands", id.String()[:12]).WithHint("`quorate wallet show` lists those that do")
		}
		if !slices.Contains(standing[i].For, key) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b journal.EntryID) int { return slices.Compare(a[:], b[:]) })
	for ids := range slices.Chunk(slices.Compact(ids), event.MaxLifted) {
		out = append(out, &event.FreezeLifted{Freezes: ids, Height: uint32(tip)})
	}
	return out, nil
}

// Change is that a freeze has effect now and had none, or the other way round.
type Change struct {
	Freeze group.GroupFreeze
	Status string // frozen or lifted
}

// Changes returns what is otherwise than before.
func Changes(was, is []group.GroupFreeze) (out []Change) {
	tell := func(some, others []group.GroupFreeze, status string) {
		for _, f := range some {
			if !slices.ContainsFunc(others, func(o group.GroupFreeze) bool { return o.Ref.ID == f.Ref.ID }) {
				out = append(out, Change{f, status})
			}
		}
	}
	tell(is, was, "frozen")
	tell(was, is, "lifted")
	return out
}
