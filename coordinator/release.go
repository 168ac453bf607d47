package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// signed goes on with the command that asked for signatures. Every rule is
// asked again: time has passed.
func (s *step) signed(x Signed) error {
	if h, ok := x.Cmd.(interface{ heldBack(*step) error }); ok && errors.Is(x.Err, port.ErrCeiling) {
		return h.heldBack(s)
	}
	if x.Err != nil {
		return fmt.Errorf("sign: %w", x.Err)
	}
	if x.Cmd == nil {
		return fmt.Errorf("%w: signatures for no command", refusal.ErrBadRequest)
	}
	return x.Cmd.signed(s, x)
}

func (x Propose) signed(s *step, got Signed) error {
	if done, err := s.repeated(x); done || err != nil {
		return err
	}
	if err := s.occasion(x); err != nil {
		return err
	}
	p, err := s.soundDraft(got.Draft)
	if err != nil {
		return err
	}
	if err := s.ask(p, x.Allow, proposing); err != nil {
		return err
	}
	if err := s.ask(p, x.Allow, signing); err != nil {
		return err
	}
	if err := s.overrideRestored(x.Allow); err != nil {
		return err
	}
	return s.enterProposal(x, got.Draft, got.Signatures)
}

func (x Approve) signed(s *step, got Signed) error {
	p, err := s.mayApprove(x)
	if err != nil {
		return err
	}
	if err := s.overrideRestored(x.Allow); err != nil {
		return err
	}
	if s.m.State.MyVote(p) {
		if _, err := s.write(&event.RejectionWithdrawn{Proposal: p.Ref.ID}); err != nil {
			return err
		}
	}
	b := event.ProposalApproved{Proposal: p.Ref.ID}
	if x.UpTo != nil {
		if b, err = b.WithUpTo(x.UpTo.of(p, s.now())); err != nil {
			return err
		}
	}
	if err := s.releaseIn(b, p, got.Signatures); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// release, by way of releaseIn, is the only place where a signature of this node leaves it: guard
// and entry go into one batch, and nothing is sent before that is durable.
func (s *step) release(p *group.Proposal, sigs []wallet.Signature) error {
	return s.releaseIn(event.ProposalApproved{Proposal: p.Ref.ID}, p, sigs)
}

// releaseIn is release with an approval that says more than the signatures.
func (s *step) releaseIn(b event.ProposalApproved, p *group.Proposal, sigs []wallet.Signature) error {
	updates, err := s.m.Guard.check(s.m.State, s.m.View, p)
	if err != nil {
		return err
	}
	for _, x := range sigs {
		b.Signatures = append(b.Signatures, event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
	}
	s.batch.Guard = append(s.batch.Guard, updates...)
	for _, u := range updates {
		s.m.Guard = s.m.Guard.add(u.GuardRecord)
	}
	s.m.desk = s.m.desk.Signed(s.m.State, s.m.View, p, s.now().Unix())
	_, err = s.write(&b)
	return err
}

// enterProposal writes the proposal and, where there are signatures, the
// approval, with the guard, the request id and both entries in one batch.
func (s *step) enterProposal(x Propose, b *event.ProposalCreated, sigs []wallet.Signature) error {
	e, err := s.write(b)
	if err != nil {
		return err
	}
	p, ok := s.m.State.Proposal(e.ID())
	if !ok || !p.Sound {
		return fmt.Errorf("%w: the proposal does not describe a transaction of this wallet", refusal.ErrBadRequest)
	}
	if sigs != nil {
		if err := s.release(p, sigs); err != nil {
			return err
		}
	}
	if err := s.keepRequest(x, p.Ref.ID); err != nil {
		return err
	}
	if err := s.proposedFor(x.Occasion, p.Ref.ID, sigs != nil); err != nil {
		return err
	}
	answer(s, x, Proposed{p.Ref.ID})
	return nil
}

// soundDraft treats a draft as the proposal it is about to become.
func (s *step) soundDraft(b *event.ProposalCreated) (*group.Proposal, error) {
	p, err := s.m.State.Draft(s.chainOfMine(), b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	return p, nil
}
