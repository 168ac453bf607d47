package coordinator

import (
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// entryIDs is used where a list of proposals becomes a list of ids.
func entryIDs(ps []*group.Proposal) []journal.EntryID {
	out := make([]journal.EntryID, len(ps))
	for i, p := range ps {
		out[i] = p.Ref.ID
	}
	return out
}
