package coordinator

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorate/quorate/journal"
)

// InviteState is an invite to a forming wallet that this node issued.
type InviteState struct {
	ID      string
	Expires time.Time
	// TakenBy is who presented it, or zero.
	TakenBy journal.Author
}

// IssuedInvites are those to a forming wallet, by id; none once it is active, and
// none on a node that did not found it.
func (m *Machine) IssuedInvites() []InviteState {
	if m.State.Active() != nil || m.State.Abandoned() {
		return nil
	}
	var out []InviteState
	for id, r := range m.invites.All() {
		if r.Replaces == (journal.Author{}) {
			out = append(out, InviteState{ID: id, Expires: time.Unix(r.Expires, 0).UTC(), TakenBy: r.By})
		}
	}
	slices.SortFunc(out, func(a, b InviteState) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
