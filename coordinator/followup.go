package coordinator

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

const (
	// maxKeptOwn is how many of one author's bumps that nobody else signed a replacement
	// names, the last of them: who enters a hundred neither fills the list nor raises the price.
	maxKeptOwn = 4
	// outbids is by how much a cancel's fee rate is above the highest that it replaces: a tenth.
	outbids = 10
)

// followUp drafts a transaction from another one.
func (s *step) followUp(a *group.Active, x Propose, seed [32]byte) (*event.ProposalCreated, error) {
	if x.Follows.kinds() > 1 || len(x.Outputs)+len(x.Coins)+len(x.Replaces)+x.All > 0 {
		return nil, fmt.Errorf("%w: a bump, a cancel, a child or a consolidation is told of no coins and payees", refusal.ErrBadRequest)
	}
	b := &event.ProposalCreated{Note: x.Note}
	if !x.Expires.IsZero() {
		b.Expires = x.Expires.Unix()
	}
	if x.Follows.Child != (chainhash.Hash{}) {
		return b, s.draftChild(a, x, b)
	}
	if x.Follows.Below > 0 {
		return b, s.draftConsolidation(a, x, b)
	}
	of := x.Follows.Bump
	if of == (journal.EntryID{}) {
		of = x.Follows.Cancel
	}
	named, err := s.replaced([]journal.EntryID{of})
	if err != nil {
		return nil, err
	}
	p := named[0]
	along := s.m.replacedAlong(p)
	if _, err := s.mustTake(coinsOf([]*group.Proposal{p}), along, x.Allow); err != nil {
		return nil, err
	}
	b.Inputs, b.LockTime = slices.Clone(p.Body.Inputs), p.Body.LockTime
	for _, q := range along {
		b.Replaces = append(b.Replaces, q.TxID)
	}
	if x.Follows.Cancel != (journal.EntryID{}) {
		return b, s.draftCancel(a, x, along, b)
	}
	return b, s.draftBump(a, x, p, along, seed, b)
}

// replacedAlong is what a bump or a cancel of p replaces: p, and of what p replaces itself
// and the bumps of p those that are final, that this node's key signed, and that somebody
// else did. Each key has an equal share of these last ones, so that no number of members
// fills the list; of an author's bumps that nobody else signed it is the last maxKeptOwn.
func (m *Machine) replacedAlong(p *group.Proposal) []*group.Proposal {
	out := []*group.Proposal{p}
	seen := map[chainhash.Hash]bool{p.TxID: true}
	// take says whether a transaction is one of those, and was not taken yet.
	take := func(q *group.Proposal) bool {
		bumps, _ := q.Bumps(p)
		ok := !seen[q.TxID] && (bumps || m.State.Declares(p.TxID, q.TxID))
		seen[q.TxID] = seen[q.TxID] || ok
		return ok
	}
	byTxID := func(from int) {
		slices.SortFunc(out[from:], func(x, y *group.Proposal) int { return bytes.Compare(x.TxID[:], y.TxID[:]) })
	}
	for _, q := range m.State.Finals(p) {
		if take(q) {
			out = append(out, q)
		}
	}
	byTxID(1)
	from := len(out)
	for _, in := range p.Body.Inputs {
		for _, tx := range m.holders(in.OutPoint()) {
			if q, ok := m.State.Lead(tx); ok && take(q) {
				out = append(out, q)
			}
		}
	}
	byTxID(from)
	shares := make([][]*group.Proposal, len(m.State.Active().Members))
	for k := range shares {
		own := map[journal.Author]int{}
		for _, q := range m.signedBy(p, k) {
			if !m.othersSigned(q) {
				if own[q.Author()]++; own[q.Author()] > maxKeptOwn {
					continue
				}
			}
			if !seen[q.TxID] {
				shares[k] = append(shares[k], q)
			}
		}
	}
	for more := true; more && len(out) < event.MaxReplaces; {
		more = false
		for k := range shares {
			for len(shares[k]) > 0 && len(out) < event.MaxReplaces {
				q := shares[k][0]
				shares[k] = shares[k][1:]
				if more = true; take(q) {
					out = append(out, q)
					break
				}
			}
		}
	}
	return out[:min(len(out), event.MaxReplaces)]
}

// signedBy returns what a key signed over p's coins, by the proposal that stands for each,
// the latest first: event.MaxReplaces at most.
func (m *Machine) signedBy(p *group.Proposal, key int) (out []*group.Proposal) {
	for _, tx := range m.State.SignedCoins(p, key, event.MaxReplaces) {
		if q, ok := m.State.Lead(tx); ok {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(x, y *group.Proposal) int {
		return cmp.Or(cmp.Compare(y.Ref.Time, x.Ref.Time), bytes.Compare(x.Ref.ID[:], y.Ref.ID[:]))
	})
	return out
}

// othersSigned says whether a key signed a proposal that is not its author's.
func (m *Machine) othersSigned(p *group.Proposal) bool {
	own, _ := m.State.Active().KeyOf(p.Author())
	for k := range m.State.Active().Members {
		if k != own && m.State.SignedInputs(p, k) > 0 {
			return true
		}
	}
	return false
}

// sizeOf is the virtual size of what a draft will be signed as. Its outputs' amounts do
// not matter.
func (s *step) sizeOf(b *event.ProposalCreated) (int64, error) {
	c := *b
	c.Outputs = slices.Clone(b.Outputs)
	for i := range c.Outputs {
		c.Outputs[i].Amount = 1
	}
	p, err := s.m.State.Draft(journal.ChainKey{}, &c)
	if err != nil {
		return 0, fmt.Errorf("size of the transaction: %w", err)
	}
	spend, err := p.Spend(s.m.State.Active())
	if err != nil {
		return 0, err
	}
	return spend.VSize(), nil
}

func spentBy(b *event.ProposalCreated) (sum int64) {
	for _, in := range b.Inputs {
		sum += in.Amount
	}
	return sum
}

func inputOf(o ledger.ViewOut) event.ProposalInput {
	return event.ProposalInput{TxID: o.OutPoint.Hash, Vout: o.OutPoint.Index, Amount: o.Amount, Branch: o.Branch, Index: o.Index}
}

// changeTo sets the change of a draft to what is left after a fee at a rate, or leaves it
// out where it is too small to be relayed. It says how much is missing.
func (s *step) changeTo(b *event.ProposalCreated, rate wallet.FeeRate, at int, index uint32) (missing int64, err error) {
	d := s.m.State.Active().Descriptor
	script, err := d.Script(wallet.BranchChange, index)
	if err != nil {
		return 0, fmt.Errorf("derive change: %w", err)
	}
	bare := b.Outputs
	left := spentBy(b)
	for _, o := range bare {
		left -= o.Amount
	}
	b.Outputs = slices.Insert(slices.Clone(bare), at, event.ProposalOutput{Change: &index, Amount: 1})
	size, err := s.sizeOf(b)
	if err != nil {
		return 0, err
	}
	if change := left - rate.Fee(size); change >= coinselect.DustLimit(script.PkScript, coinselect.DustRelayFeeRate) {
		b.Outputs[at].Amount = change
		return 0, nil
	}
	if b.Outputs = bare; len(bare) == 0 {
		return max(1, coinselect.DustLimit(script.PkScript, coinselect.DustRelayFeeRate)+rate.Fee(size)-left), nil
	}
	if size, err = s.sizeOf(b); err != nil {
		return 0, err
	}
	return max(0, rate.Fee(size)-left), nil
}

// draftBump pays what p pays once more. Coins that p does not spend are taken only where
// the fee needs them, confirmed and held by nothing.
func (s *step) draftBump(a *group.Active, x Propose, p *group.Proposal, along []*group.Proposal, seed [32]byte, b *event.ProposalCreated) error {
	spend, err := p.Spend(a)
	if err != nil {
		return err
	}
	if now := p.Fee(); x.FeeRate.Fee(spend.VSize()) <= now {
		return refusal.New(refusal.ReplaceFee, "the proposal pays %s already, which is %.3g sat/vB", display.Amount(now), float64(now)/float64(spend.VSize())).
			WithHint("give a higher --fee-rate")
	}
	if b.Note == "" && display.Check(p.Body.Note) == nil {
		b.Note = p.Body.Note // this node does not write what deceives on a screen
	}
	at, index := -1, uint32(0)
	for i, o := range p.Body.Outputs {
		if o.Change != nil {
			at, index = i, *o.Change
			continue
		}
		if display.Check(o.Label) != nil {
			o.Label = ""
		}
		b.Outputs = append(b.Outputs, o)
	}
	paid := b.Outputs
	missing := int64(0)
	if at >= 0 {
		missing, err = s.changeTo(b, x.FeeRate, at, index)
	} else {
		// It has no change. What is left over is its fee, so it grows only by further coins.
		missing = x.FeeRate.Fee(spend.VSize()) - p.Fee()
	}
	if err != nil || missing <= 0 {
		return err
	}
	taken, err := s.mustTake(coinsOf([]*group.Proposal{p}), along, x.Allow)
	if err != nil {
		return err
	}
	confirmed := s.free(taken).confirmed
	if at < 0 {
		r := journal.H("place of change", seed[:])
		at, index = int(r[0])%(len(paid)+1), s.changeIndex()
	}
	// The smallest that suffices alone, else the largest. A coin that does not pay for its
	// own input is of no use, so that of more, or of a larger one, more is left.
	worth := x.FeeRate.Fee(int64(a.Descriptor.InputWeight()+3) / 4)
	coins := slices.DeleteFunc(confirmed, func(o ledger.ViewOut) bool { return o.Amount <= worth })
	coins = coins[:min(len(coins), event.MaxTxInputs-len(p.Body.Inputs))]
	enough := func(coins ...ledger.ViewOut) bool {
		if err != nil {
			return true
		}
		b.Inputs, b.Outputs = slices.Clone(p.Body.Inputs), slices.Clone(paid)
		for _, o := range coins {
			b.Inputs = append(b.Inputs, inputOf(o))
		}
		missing, err = s.changeTo(b, x.FeeRate, at, index)
		return err != nil || missing == 0
	}
	n := len(coins)
	if alone := sort.Search(n, func(i int) bool { return enough(coins[n-1-i]) }); alone < n {
		enough(coins[n-1-alone])
		return err
	}
	if most := sort.Search(n, func(i int) bool { return enough(coins[:i+1]...) }); most < n {
		enough(coins[:most+1]...)
		return err
	}
	if err != nil {
		return err
	}
	return refusal.New(refusal.Funds, "the fee needs %s more than the payment's own coins hold, and there is no confirmed coin for it that nothing holds", display.Amount(missing)).
		WithHint("give a lower --fee-rate, or pay less with `propose --replaces`")
}

// outbidden says whether a cancel of p pays more than q, which it replaces: where q is p or
// has signatures beside its author's, and spends coins that this node sees. Else one member
// could have it pay whatever that one likes.
func (m *Machine) outbidden(p, q *group.Proposal) bool {
	for _, in := range q.Body.Inputs {
		if _, ok := m.View.Out(in.OutPoint()); !ok {
			return false
		}
	}
	return q.TxID == p.TxID || m.State.Final(q) || m.othersSigned(q) || slices.Contains(m.holders(q.Body.Inputs[0].OutPoint()), q.TxID)
}

// draftCancel takes all coins back to one change output, with a fee that replaces what
// is to be cancelled and its signed bumps.
func (s *step) draftCancel(a *group.Active, x Propose, along []*group.Proposal, b *event.ProposalCreated) error {
	index := s.changeIndex()
	b.Outputs = []event.ProposalOutput{{Change: &index, Amount: 1}}
	size, err := s.sizeOf(b)
	if err != nil {
		return err
	}
	rate := x.FeeRate
	for _, q := range along {
		if !s.m.outbidden(along[0], q) {
			continue
		}
		spend, err := q.Spend(a)
		if err != nil {
			return err
		}
		per := wallet.FeeRate((group.FeeOf(s.m.View, q)*1000 + spend.VSize() - 1) / spend.VSize())
		rate = max(rate, per+max(1, per/outbids))
	}
	draft, err := s.m.State.Draft(journal.ChainKey{}, b)
	if err != nil {
		return fmt.Errorf("what a cancel replaces: %w", err)
	}
	if floor := s.m.replacedFees(draft); floor > 0 {
		least := floor + s.in.Policy.OrDefault().Incremental.Fee(size)
		rate = max(rate, wallet.FeeRate((least*1000+size-1)/size))
	}
	b.Outputs = nil
	missing, err := s.changeTo(b, rate, 0, index)
	if err == nil && missing > 0 {
		return refusal.New(refusal.Funds, "to cancel it takes a fee of %s, and its coins hold %s", display.Amount(rate.Fee(size)), display.Amount(spentBy(b)))
	}
	return err
}

// draftChild spends what a transaction pays the wallet to itself, with so high a fee
// that both together pay the rate.
func (s *step) draftChild(a *group.Active, x Propose, b *event.ProposalCreated) error {
	parent := x.Follows.Child
	t, ok := s.m.View.Tx(parent)
	if !ok {
		return refusal.New(refusal.Coin, "transaction %v is none that this node knows to pay the wallet", parent).WithHint("see `quorate history`")
	}
	if t.Block.Height > 0 {
		return refusal.New(refusal.AlreadyFinal, "transaction %v is in a block already", parent)
	}
	for _, o := range s.leftOf(parent, x.Allow) {
		b.Inputs = append(b.Inputs, inputOf(o))
	}
	if len(b.Inputs) == 0 {
		return refusal.New(refusal.Coin, "transaction %v pays the wallet nothing that is left to spend", parent).WithHint("see `quorate coins`")
	}
	lacks, err := s.ancestorsLack(a, x)
	if err != nil {
		return err
	}
	index := s.changeIndex()
	b.Outputs = []event.ProposalOutput{{Change: &index, Amount: 1}}
	own, err := s.sizeOf(b)
	if err != nil {
		return err
	}
	pays := x.FeeRate.Fee(own) + lacks
	b.Outputs = nil
	missing, err := s.changeTo(b, wallet.FeeRate((pays*1000+own-1)/own), 0, index)
	if err == nil && missing > 0 {
		return refusal.New(refusal.Funds, "the child would pay a fee of %s, and what it can spend of transaction %v holds %s", display.Amount(pays), parent, display.Amount(spentBy(b))).
			WithHint("give a lower --fee-rate: a fee that is more than what it rescues is never paid")
	}
	return err
}

// ancestorsLack is what a child pays for what it rests on: its parent, and what that rests
// on of our own. What others' transactions in no block pay, and rest on, is not known, but
// for what is said of the parent.
func (s *step) ancestorsLack(a *group.Active, x Propose) (int64, error) {
	var all []coinselect.Ancestor
	at := map[chainhash.Hash]int{}
	for id := range s.m.View.Above(x.Follows.Child) {
		t, _ := s.m.View.Tx(id)
		of := coinselect.Ancestor{Fee: x.Follows.ParentFee, VSize: int64(t.Tx.SerializeSizeStripped()*3+t.Tx.SerializeSize()+3) / 4}
		if p, ok := s.m.State.Lead(id); ok {
			spend, err := p.Spend(a)
			if err != nil {
				return 0, err
			}
			of.Fee, of.VSize = group.FeeOf(s.m.View, p), spend.VSize()
		} else if id != x.Follows.Child {
			continue
		}
		at[id] = len(all)
		all = append(all, of)
	}
	for id, i := range at {
		t, _ := s.m.View.Tx(id)
		for _, in := range t.Tx.TxIn {
			if k, ok := at[in.PreviousOutPoint.Hash]; ok {
				all[i].Parents = append(all[i].Parents, k)
			}
		}
	}
	return coinselect.Deficit(x.FeeRate, all), nil
}

// maxConsolidated is how many coins are gathered at once, whatever they weigh and cost.
const maxConsolidated = 200

// draftConsolidation spends the smallest confirmed coins that nothing holds to one change
// output: as many as fit into a transaction, and cost no fee that needs a name.
func (s *step) draftConsolidation(a *group.Active, x Propose, b *event.ProposalCreated) error {
	if x.FeeRate >= x.Follows.Below {
		return refusal.New(refusal.FeeNotBelow, "the fee rate is %.3g sat/vB, and not below %.3g", float64(x.FeeRate)/1000, float64(x.Follows.Below)/1000).
			WithHint("try again when blocks are less full, or give a higher --below")
	}
	weight := int64(a.Descriptor.InputWeight())
	worth := x.FeeRate.Fee((weight + 3) / 4)
	coins := s.free(nil).confirmed // the largest first
	coins = slices.DeleteFunc(coins, func(o ledger.ViewOut) bool { return o.Amount <= worth })
	slices.Reverse(coins)
	b.Outputs = []event.ProposalOutput{{Change: new(uint32), Amount: 1}}
	for _, o := range coins[:min(1, len(coins))] {
		b.Inputs = append(b.Inputs, inputOf(o))
	}
	most := 0
	if len(b.Inputs) > 0 {
		one, err := s.sizeOf(b)
		if err != nil {
			return err
		}
		// One less than fits, for what a count of inputs takes.
		most = min(maxConsolidated, int((wallet.MaxTxWeight-4*one)/weight), int((maxFeeFloor-x.FeeRate.Fee(one))/max(1, worth)))
	}
	coins = coins[:min(len(coins), max(0, most))]
	if len(coins) < 2 {
		return refusal.New(refusal.Funds, "there are no two confirmed coins to gather that nothing holds, nobody froze, and that are worth their fee").WithHint("see `quorate coins`")
	}
	b.Inputs = nil
	for _, o := range coins {
		b.Inputs = append(b.Inputs, inputOf(o))
	}
	b.Outputs = nil
	missing, err := s.changeTo(b, x.FeeRate, 0, s.changeIndex())
	if err == nil && missing > 0 {
		return refusal.New(refusal.Funds, "the coins hold %s, which the fee takes up", display.Amount(spentBy(b)))
	}
	return err
}
