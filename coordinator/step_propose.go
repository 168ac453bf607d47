package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
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
	if x.RequestID != "" {
		if p, ok := s.m.requests.Get(x.RequestID); ok {
			answer(s, x, Proposed{p})
			return nil
		}
	}
	a := s.m.State.Active()
	if a == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	if len(x.RequestID) > maxRequestID {
		return fmt.Errorf("%w: request id is over %d bytes", refusal.ErrBadRequest, maxRequestID)
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
	if err := s.m.ask(asked{p: p, now: s.now(), allow: x.Allow, stage: proposing}); err != nil {
		return err
	}
	if x.Unsigned || s.m.External() {
		if err := s.overrideRestored(x.Allow); err != nil {
			return err
		}
		return s.enterProposal(x, draft, nil)
	}
	if err := s.m.ask(asked{p: p, now: s.now(), allow: x.Allow, stage: signing}); err != nil {
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

// checkReplacement holds BIP125's fee rules against final transactions that p
// would take the coins of; against others they only warn.
func (m *Machine) checkReplacement(p *group.Proposal) error {
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		return err
	}
	const incremental = wallet.FeeRate(1000) // Core's default incremental relay fee
	var floor int64
	for _, q := range m.State.Finals(p) {
		if p.Replaces(q) {
			floor += group.FeeOf(m.View, q)
		}
	}
	if floor > 0 && p.Fee() < floor+incremental.Fee(spend.VSize()) {
		return refusal.New(refusal.ReplaceFee, "a replacement of final transactions with fees of %d sat must pay %d sat at least (BIP125)",
			floor, floor+incremental.Fee(spend.VSize())).WithHint("give a higher --fee-rate")
	}
	return nil
}

// draft selects coins and change.
func (s *step) draft(a *group.Active, x Propose) (*event.ProposalCreated, error) {
	if !s.m.View.Synced() {
		return nil, refusal.New(refusal.ChainBehind, "the chain is not synced on this node").WithHint("wait until `status` shows it synced")
	}
	b := &event.ProposalCreated{Note: x.Note, Outputs: slices.Clone(x.Outputs)}
	if !x.Expires.IsZero() {
		b.Expires = x.Expires.Unix()
	}
	replaced, err := s.replaced(x.Replaces)
	if err != nil {
		return nil, err
	}
	for _, q := range replaced {
		b.Replaces = append(b.Replaces, q.TxID)
	}
	change := s.changeIndex()
	script, err := a.Descriptor.Script(wallet.BranchChange, change)
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
	coins, chosen, err := s.candidates(x.Coins, replaced)
	if err != nil {
		return nil, err
	}
	at := make(map[wire.OutPoint]ledger.ViewOut, len(coins))
	for _, o := range coins {
		at[o.OutPoint] = o
		req.Coins = append(req.Coins, coinselect.Coin{OutPoint: o.OutPoint, Amount: o.Amount})
	}
	req.Chosen = chosen
	sel, err := coinselect.Select(req)
	if err != nil {
		return nil, selectionRefusal(err)
	}
	for _, c := range sel.Coins {
		o := at[c.OutPoint]
		b.Inputs = append(b.Inputs, event.ProposalInput{TxID: o.OutPoint.Hash, Vout: o.OutPoint.Index, Amount: o.Amount, Branch: o.Branch, Index: o.Index})
	}
	if sel.Change > 0 {
		// A fixed place for change would tell it from the payments.
		r := s.draw()
		at := int(r[0]) % (len(b.Outputs) + 1)
		b.Outputs = slices.Insert(b.Outputs, at, event.ProposalOutput{Change: &change, Amount: sel.Change})
	}
	return b, nil
}

// replaced resolves --replaces.
func (s *step) replaced(ids []journal.EntryID) ([]*group.Proposal, error) {
	var out []*group.Proposal
	for _, id := range ids {
		p, ok := s.m.State.Proposal(id)
		if !ok || !p.Sound {
			return nil, fmt.Errorf("replace %s: %w", id, refusal.ErrUnknownProposal)
		}
		out = append(out, p)
	}
	return out, nil
}

// candidates are the coins to choose from: those named by the user, else all
// that are spendable and not leased. A replacement must take a coin of each
// transaction it replaces, so those coins are chosen for it.
func (s *step) candidates(named []wire.OutPoint, replaced []*group.Proposal) ([]ledger.ViewOut, []wire.OutPoint, error) {
	if len(named) == 0 {
		for _, q := range replaced {
			for _, in := range q.Body.Inputs {
				if !slices.Contains(named, in.OutPoint()) {
					named = append(named, in.OutPoint())
				}
			}
		}
	}
	var coins []ledger.ViewOut
	if len(named) > 0 {
		for _, o := range named {
			c, ok := s.chosen(o, replaced)
			if !ok || !c.Spendable {
				return nil, nil, refusal.New(refusal.Coin, "%v is not a spendable coin of this wallet", o).WithHint("see `quorate coins`")
			}
			coins = append(coins, c.ViewOut)
		}
		return coins, named, nil
	}
	for _, c := range Coins(s.m.State, s.m.View, s.now()) {
		if c.Spendable && len(c.LeasedBy) == 0 {
			coins = append(coins, c.ViewOut)
		}
	}
	return coins, nil, nil
}

// chosen finds a named coin; one that only a transaction to be replaced spends
// in the mempool is free for its replacement.
func (s *step) chosen(o wire.OutPoint, replaced []*group.Proposal) (Coin, bool) {
	if c, ok := find(s.m.State, s.m.View, s.now(), o); ok {
		return c, true
	}
	out, ok := s.m.View.Out(o)
	if !ok {
		return Coin{}, false
	}
	for by := range s.m.View.Rivals(o) {
		if !slices.ContainsFunc(replaced, func(q *group.Proposal) bool { return q.TxID == by }) {
			return Coin{}, false
		}
		if s.m.View.Confirmations(by) > 0 {
			return Coin{}, false
		}
	}
	return Coin{ViewOut: out, Spendable: s.m.View.Confirmations(o.Hash) > 0}, true
}

// changeIndex is the lowest change index that no transaction and no live
// proposal uses; where proposals hold all that may be used, the first: a
// member cannot block the others by proposing.
func (s *step) changeIndex() uint32 {
	first := s.m.View.Used(wallet.BranchChange)
	for i := first; i < first+ledger.ChangeGap; i++ {
		taken := func(p *group.Proposal) bool {
			return s.m.State.Released(p.TxID) || group.Derive(s.m.State, s.m.View, s.now(), p).Live()
		}
		if !s.m.State.TakesChange(i, taken) {
			return i
		}
	}
	return first
}

func selectionRefusal(err error) error {
	var funds coinselect.ErrInsufficientFunds
	switch {
	case errors.As(err, &funds):
		return refusal.New(refusal.Funds, "%v", err).WithHint("see `quorate coins`; coins of live proposals are leased")
	case errors.Is(err, coinselect.ErrDust):
		return refusal.New(refusal.Dust, "%v", err).WithHint("send more: an output this small costs more to spend than it holds")
	}
	return fmt.Errorf("select coins: %w", err)
}

// DefaultExpiry is how long a proposal lives when nothing is said.
const DefaultExpiry = 72 * time.Hour
