package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
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
	a := s.m.State.Active()
	if a == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	if len(x.Outputs) == 0 {
		return fmt.Errorf("%w: no recipient", refusal.ErrBadRequest)
	}
	draft, err := s.draft(a, x)
	if err != nil {
		return err
	}
	if err := draft.Check(); err != nil {
		return fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	p, err := s.soundDraft(draft)
	if err != nil {
		return err
	}
	if err := s.ask(p, x.Allow, proposing); err != nil {
		return err
	}
	if x.Unsigned || s.m.External() {
		if err := s.overrideRestored(x.Allow); err != nil {
			return err
		}
		return s.enterProposal(x, draft, nil)
	}
	if err := s.ask(p, x.Allow, signing); err != nil {
		return err
	}
	guard, err := s.m.Guard.check(s.m.State, s.m.View, p)
	if err != nil {
		return err
	}
	spend, err := p.Spend(a)
	if err != nil {
		return err
	}
	s.do(Sign{Spend: spend, Guard: guard, Signed: Signed{Cmd: x, Draft: draft}})
	return nil
}

// draft selects coins and change.
func (s *step) draft(a *group.Active, x Propose) (*event.ProposalCreated, error) {
	if !s.m.View.Synced() {
		return nil, refusal.New(refusal.ChainBehind, "the chain is not synced on this node").WithHint("wait until `status` shows it synced")
	}
	// Before coins are chosen: of an old view they may be others.
	if err := s.m.checkFresh(asked{allow: x.Allow, chainAge: s.in.ChainAge}); err != nil {
		return nil, err
	}
	b := &event.ProposalCreated{Note: x.Note, Outputs: slices.Clone(x.Outputs)}
	if !x.Expires.IsZero() {
		b.Expires = x.Expires.Unix()
	}
	index := s.changeIndex()
	script, err := a.Descriptor.Script(wallet.BranchChange, index)
	if err != nil {
		return nil, fmt.Errorf("derive change: %w", err)
	}
	req := coinselect.Request{
		InputWeight: int64(a.Descriptor.InputWeight()), ChangeScript: script.PkScript,
		FeeRate: x.FeeRate, LongTermFeeRate: longTermFeeRate, Seed: s.draw(),
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
	if sel.Change > 0 {
		// A fixed place for change would tell it from the payments.
		r := s.draw()
		at := int(r[0]) % (len(b.Outputs) + 1)
		b.Outputs = slices.Insert(b.Outputs, at, event.ProposalOutput{Change: &index, Amount: sel.Change})
	}
	return b, nil
}

// DefaultExpiry is how long a proposal lives when nothing is said.
const DefaultExpiry = 72 * time.Hour
