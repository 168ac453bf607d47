package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

// longTermFeeRate is what Bitcoin Core assumes coins can be consolidated at: 10 sat/vB.
const longTermFeeRate = wallet.FeeRate(10_000)

// propose drafts a transaction, checks it by the rules of an approver, and
// either enters it unsigned or asks for this node's signatures first.
func (s *step) propose(x Propose) error {
	if done, err := s.repeated(x); done || err != nil {
		return err
	}
	if err := s.occasion(x); err != nil {
		return err
	}
	p, _, at, err := s.plan(x)
	if err != nil {
		return err
	}
	if err := asShown(x, p.Body); err != nil {
		return err
	}
	if at&signing == 0 {
		if err := s.overrideRestored(x.Allow); err != nil {
			return err
		}
		return s.enterProposal(x, p.Body, nil)
	}
	return s.askToSign(p, Signed{Cmd: x, Draft: p.Body})
}

// plan drafts what x asks for, and asks every rule that stands before it is entered and,
// where this node signs it, before that. It writes nothing. It also returns the draw by
// which it chose: with the same one it chooses the same, as long as there is the same to
// choose from; and the stages whose rules it asked.
func (s *step) plan(x Propose) (*group.Proposal, [32]byte, stage, error) {
	seed, at := s.draw(), proposing
	if !x.Unsigned && !s.m.External() {
		at |= signing
	}
	if x.Shown != nil {
		seed = x.Shown.Seed
	}
	a := s.m.State.Active()
	if a == nil {
		return nil, seed, at, refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if err := s.m.notArchived(); err != nil {
		return nil, seed, at, err
	}
	if len(x.Outputs) == 0 && x.Follows.kinds() == 0 {
		return nil, seed, at, fmt.Errorf("%w: no recipient", refusal.ErrBadRequest)
	}
	if x.All < 0 || x.All > len(x.Outputs) || x.All > 0 && x.Outputs[x.All-1].Amount != 0 {
		return nil, seed, at, fmt.Errorf("%w: who gets all that is left gets no amount besides", refusal.ErrBadRequest)
	}
	if err := coinselect.CheckFeeFrom(x.FeeFrom, x.All, len(x.Outputs)); err != nil {
		return nil, seed, at, fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	draft, err := s.draft(a, x, seed)
	if err != nil {
		return nil, seed, at, err
	}
	if err := draft.Check(); err != nil {
		return nil, seed, at, fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	p, err := s.soundDraft(draft)
	if err != nil {
		return nil, seed, at, err
	}
	if err := s.ask(p, x.Allow, proposing); err != nil {
		return nil, seed, at, err
	}
	if at&signing != 0 {
		if err := s.ask(p, x.Allow, signing); err != nil {
			return nil, seed, at, err
		}
	}
	return p, seed, at, nil
}

// draft selects coins and change.
func (s *step) draft(a *group.Active, x Propose, seed [32]byte) (*event.ProposalCreated, error) {
	if !s.m.View.Synced() {
		return nil, refusal.New(refusal.ChainBehind, "the chain is not synced on this node").WithHint("wait until `status` shows it synced")
	}
	// Before coins are chosen: of an old view they may be others.
	if err := s.m.checkFresh(asked{allow: x.Allow, chainAge: s.in.ChainAge}); err != nil {
		return nil, err
	}
	if x.Follows.kinds() > 0 {
		return s.followUp(a, x, seed)
	}
	b := &event.ProposalCreated{Note: x.Note, Outputs: slices.Clone(x.Outputs)}
	if !x.Expires.IsZero() {
		b.Expires = x.Expires.Unix()
	}
	if x.Occasion != nil {
		if err := b.WithOccasion(x.Occasion.Hash()); err != nil {
			return nil, err
		}
	}
	index := s.changeIndex()
	script, err := a.Descriptor.Script(wallet.BranchChange, index)
	if err != nil {
		return nil, fmt.Errorf("derive change: %w", err)
	}
	req := coinselect.Request{
		InputWeight: int64(a.Descriptor.InputWeight()), ChangeScript: script.PkScript,
		FeeRate: x.FeeRate, LongTermFeeRate: longTermFeeRate, Seed: seed, All: x.All, FeeFrom: x.FeeFrom,
	}
	for _, o := range x.Outputs {
		req.Outputs = append(req.Outputs, coinselect.Output{PkScript: o.PkScript, Amount: o.Amount})
	}
	sel, err := s.pick(x, req)
	if err != nil {
		return nil, err
	}
	b.Replaces = sel.replaces
	for _, c := range sel.Coins {
		o := sel.outs[c.OutPoint]
		b.Inputs = append(b.Inputs, event.ProposalInput{TxID: o.OutPoint.Hash, Vout: o.OutPoint.Index, Amount: o.Amount, Branch: o.Branch, Index: o.Index})
	}
	if x.All > 0 {
		b.Outputs[x.All-1].Amount = sel.All
	}
	for i, less := range sel.Taken {
		b.Outputs[i].Amount -= less
	}
	if sel.Change > 0 {
		// A fixed place for change would tell it from the payments.
		r := journal.H("place of change", seed[:])
		at := int(r[0]) % (len(b.Outputs) + 1)
		b.Outputs = slices.Insert(b.Outputs, at, event.ProposalOutput{Change: &index, Amount: sel.Change})
	}
	return b, nil
}

// DefaultExpiry is how long a proposal lives when nothing is said.
const DefaultExpiry = 72 * time.Hour
