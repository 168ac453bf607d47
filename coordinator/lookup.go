package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// proposal finds a living proposal of an active wallet.
func (s *step) proposal(id journal.EntryID) (*group.Proposal, error) {
	if s.m.State.Active() == nil {
		return nil, refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	p, ok := s.m.State.Proposal(id)
	if !ok || !s.m.State.Alive(p) {
		return nil, fmt.Errorf("proposal %s: %w", id, refusal.ErrUnknownProposal)
	}
	return p, nil
}
