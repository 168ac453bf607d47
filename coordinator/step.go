package coordinator

import (
	"errors"
	"fmt"
	"maps"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Step takes one input: it returns the machine as it is afterwards, and the
// effects to execute, or an error that changes nothing. It is synchronous and
// pure: the same machine and input give the same result, and the machine
// passed in stays as it was.
func Step(m Machine, in Input) (Machine, []Effect, error) {
	if x, ok := in.Msg.(Guarded); ok {
		return m.guarded(x), nil, nil
	}
	s := &step{m: m, before: m, in: in, batch: port.Batch{Group: m.State.Group(), Puts: map[string][]byte{}}}
	if err := s.take(in.Msg); err != nil {
		return m, nil, err
	}
	if err := s.settle(); err != nil {
		return m, nil, err
	}
	return s.m, s.finish(), nil
}

func (s *step) take(msg any) error {
	switch x := msg.(type) {
	case EntryIn:
		return s.entry(x.Entry, group.State.Add)
	case unread:
		return errors.Join(s.entry(x.entry, group.State.AddUnread), s.keepUnread(x.entry))
	case ClaimIn:
		s.m.claims = s.m.claims.Set(string(x.From[:]), maps.Clone(x.Claim.Frontier))
		s.claimed(x.From, maps.Clone(x.Claim.Frontier))
		return nil
	case ChainIn:
		return s.chain(x.Notice)
	case Streamed:
		return s.streamed(x)
	case RescanFrom:
		return s.rescanFrom(x)
	case Born:
		if !s.m.View.Begun() && x.Height > s.m.View.Birthday() && !s.m.local.Rescanned {
			s.m.View = s.m.View.BornAt(x.Height)
			s.m.unsaved = saveEvery
		}
		s.do(Reply{})
		return nil
	case Watched:
		s.m.View = s.m.View.Asked(x.Call)
		return nil
	case ledger.LookedBack:
		return s.lookedBack(x)
	case Broadcasted:
		return s.broadcasted(x)
	case Tick:
		return s.tick(x)
	case Started:
		return s.started()
	case Admit:
		return s.admit(x)
	case NewInvite:
		return s.newInvite(x)
	case Ratify:
		return s.ratify(x)
	case Abandon:
		return s.abandon(x)
	case Rekey:
		return s.rekey()
	case Named:
		return s.named(x)
	case Archive:
		return s.archive(x)
	case Prove:
		return s.prove(x)
	case Host:
		return s.host(x)
	case ChangeKey:
		return s.changeKey(x)
	case LeaseAddress:
		return s.lease(x)
	case SetLabels:
		return s.setLabels(x)
	case Propose:
		return s.propose(x)
	case Approve:
		return s.approve(x)
	case ApproveReplacement:
		return s.approveReplacement(x)
	case Reject:
		return s.reject(x)
	case Withdraw:
		return s.withdraw(x)
	case Export:
		return s.export(x)
	case Import:
		return s.importSignatures(x)
	case Signed:
		return s.signed(x)
	}
	return fmt.Errorf("%w: %T", refusal.ErrBadRequest, msg)
}

// guarded knows of what was made durable ahead of a step. It is nothing but that:
// nothing follows from it yet.
func (m Machine) guarded(x Guarded) Machine {
	for _, u := range x.Updates {
		m.Guard = m.Guard.add(u.GuardRecord)
	}
	return m
}
