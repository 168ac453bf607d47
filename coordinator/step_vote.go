package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
)

// approve checks a proposal and asks for this node's signatures.
func (s *step) approve(x Approve) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	if x.UpTo != nil {
		if err := s.m.mayAgree(p, *x.UpTo, s.now()); err != nil {
			return err
		}
	}
	if me, ok := s.m.State.Active().Index(s.m.State.Me()); ok && s.m.State.Signed(p, me) {
		if x.UpTo != nil {
			return s.agreeAgain(x, p, me)
		}
		answer(s, x, Done{}) // approved already: a repeat is harmless
		return nil
	}
	if st := group.Derive(s.m.State, s.m.View, s.now(), p); (st == group.StatusFinal || st == group.StatusBroadcast) && !s.m.superseded() {
		if err := shown(x, p); err != nil {
			return err
		}
		if x.UpTo != nil && x.UpTo.Fee > 0 {
			return refusal.New(refusal.AlreadyFinal, "the proposal has all its signatures without this node's, which no bump of it needs either: nothing was agreed to")
		}
		answer(s, x, Done{}) // it has all its signatures: one more would give nothing, and could not be called back
		return nil
	}
	if s.m.External() {
		return refusal.New(refusal.ExternalKey, "this node's key lives elsewhere: it cannot sign by itself").
			WithHint("`quorate psbt export` writes what a device signs, `psbt import` takes it back; `approve --hwi` asks a USB device")
	}
	if p, err = s.mayApprove(x); err != nil {
		return err
	}
	return s.askToSign(p, Signed{Cmd: x})
}

// mayApprove asks every rule that stands before a signature.
func (s *step) mayApprove(x Approve) (*group.Proposal, error) {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return nil, err
	}
	if err := shown(x, p); err != nil {
		return nil, err
	}
	if err := s.ask(p, x.Allow, approving); err != nil {
		return nil, err
	}
	if x.UpTo != nil {
		return p, s.m.mayAgree(p, *x.UpTo, s.now())
	}
	return p, nil
}

// shown refuses a proposal of another transaction than its user was shown.
func shown(x Approve, p *group.Proposal) error {
	if x.TxID != (chainhash.Hash{}) && x.TxID != p.TxID {
		return refusal.New(refusal.DraftChanged, "the proposal is of transaction %v, shown was %v", p.TxID, x.TxID)
	}
	return nil
}

// reject votes against. It does not call a signature back.
func (s *step) reject(x Reject) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	me, ok := s.m.State.Active().Index(s.m.State.Me())
	if !ok {
		return refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	if _, err := s.m.mayAct(ActReject, asked{p: p, now: s.now()}); err != nil {
		return err
	}
	if s.m.State.Signed(p, me) {
		return refusal.New(refusal.AlreadyFinal, "this node has signed the proposal, and a signature cannot be called back").
			WithHint("propose a replacement with --replaces to spend the same coins otherwise")
	}
	if s.m.State.MyVote(p) {
		answer(s, x, Done{})
		return nil
	}
	if _, err := s.write(&event.ProposalRejected{Proposal: x.Proposal, Reason: x.Reason}); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// withdraw takes this node's own proposal back.
func (s *step) withdraw(x Withdraw) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	if !s.m.State.SameMember(p.Author(), s.m.State.Me()) {
		return refusal.New(refusal.NotAuthor, "only its author withdraws a proposal").WithHint("use `reject`")
	}
	idle, err := s.m.mayAct(ActWithdraw, asked{p: p, now: s.now()})
	if err != nil {
		return err
	}
	if !idle && !s.m.State.Withdrawn(p) {
		if _, err := s.write(&event.ProposalWithdrawn{Proposal: x.Proposal}); err != nil {
			return err
		}
	}
	answer(s, x, Done{})
	return nil
}
