package coordinator

import (
	"slices"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Archive puts a wallet aside on this node alone: it goes on to follow the chain
// and to keep and pass on entries, and hands out and signs nothing. Undo takes
// it up again.
type Archive struct {
	Undo  bool
	Allow []string
}

// Archived says whether the wallet was put aside on this node.
func (m *Machine) Archived() bool { return m.local.Archived }

// archive puts a wallet aside, or takes it up again.
func (s *step) archive(x Archive) error {
	st := s.m.State
	if s.m.local.Archived == !x.Undo {
		answer(s, x, Done{}) // a repeat is harmless
		return nil
	}
	if !x.Undo {
		if st.Active() == nil && !st.Abandoned() {
			return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing()).WithHint("`wallet abandon` gives it up")
		}
		b := Sum(Coins(st, s.m.View, s.now()))
		if b.Confirmed+b.Unconfirmed > 0 && !slices.Contains(x.Allow, refusal.NotEmpty) {
			return refusal.New(refusal.NotEmpty, "the wallet holds coins, which an archived one does not spend").MayOverride()
		}
	}
	s.m.local.Archived = !x.Undo
	if x.Undo {
		s.m.local.TakenUp = s.now().Unix()
	}
	if err := s.put(recLocal, s.m.local); err != nil {
		return err
	}
	s.do(Tell{port.Notice{Type: "wallet", Group: st.Group(), Status: s.m.Phase()}})
	answer(s, x, Done{})
	return nil
}
