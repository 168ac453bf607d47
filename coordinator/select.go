package coordinator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

// maxHeld bounds how many transactions may hold a coin that is taken again all the same.
const maxHeld = 8

// picked is a selection, and what it replaces.
type picked struct {
	coinselect.Selection
	outs     map[wire.OutPoint]ledger.ViewOut
	replaces []chainhash.Hash
}

// pick chooses the coins that pay for x.
//
// Coins that the user names are taken, all of them and no others. A replacement takes
// those of what it replaces, and more where they do not suffice. Otherwise coins are
// taken that no living proposal takes, and that this node has signed nothing over that
// could still be mined; confirmed ones alone where they suffice, and of these such with
// one label.
//
// What this node signed and then gave up, since its author withdrew it or its time was
// over, can be completed by whoever holds enough signatures. So where the same payee is
// paid again, it is replaced: the two payments then spend a coin in common, and never
// both are mined. It is replaced as well where the wallet has no other coins, and where
// all of them are sent.
func (s *step) pick(x Propose, req coinselect.Request) (picked, error) {
	replaced, err := s.replaced(x.Replaces)
	if err != nil {
		return picked{}, err
	}
	if len(x.Coins) > 0 {
		take, err := s.mustTake(x.Coins, replaced, x.Allow)
		if err != nil {
			return picked{}, err
		}
		return s.pickFrom(req, replaced, pool{take: take})
	}
	var take []ledger.ViewOut
	if len(replaced) > 0 {
		if take, err = s.mustTake(coinsOf(replaced), replaced, x.Allow); err != nil {
			return picked{}, err
		}
	} else {
		replaced, take = s.givenUp(x)
	}
	f := s.free(take)
	all := slices.Concat(f.confirmed, f.unconfirmed)
	pools := []pool{{take, f.confirmed}, {take, all}, {take, slices.Concat(all, f.held)}}
	if slices.Contains(x.Allow, refusal.CoinFrozen) && len(f.frozen) > 0 {
		pools = append(pools, pool{take, slices.Concat(all, f.held, f.frozen)}) // last: they are not meant to be spent
	}
	switch {
	case x.All > 0:
		pools = pools[len(pools)-1:] // whatever can be spent
	case len(take) == 0:
		pools = append(s.ofOneLabel(f.confirmed, req), pools...)
	}
	out, err := s.pickFrom(req, replaced, pools[0], pools[1:]...)
	if err != nil {
		return picked{}, sayFrozen(err, x, f.frozen)
	}
	return s.alsoReplacing(out), nil
}

// maxLabelPools bounds how many labels are tried by themselves.
const maxLabelPools = 8

// ofOneLabel returns pools of confirmed coins with one label each, the smallest first, of
// those that may suffice: a payment from coins of several tells that they are one wallet's.
// Coins without a label are such a pool as well. There is none where all are alike.
func (s *step) ofOneLabel(coins []ledger.ViewOut, req coinselect.Request) []pool {
	if !s.m.State.Labelled() {
		return nil
	}
	need := int64(0)
	for _, o := range req.Outputs {
		need += o.Amount
	}
	labels := s.m.State.LabelReader()
	by, sums := map[string][]ledger.ViewOut{}, map[string]int64{}
	for _, o := range coins {
		text := labels.OfCoin(s.m.View, o)
		by[text], sums[text] = append(by[text], o), sums[text]+o.Amount
	}
	if len(by) < 2 {
		return nil
	}
	names := slices.DeleteFunc(slices.Collect(maps.Keys(by)), func(text string) bool { return sums[text] < need })
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(sums[a], sums[b]), cmp.Compare(a, b)) })
	var out []pool
	for _, text := range names[:min(len(names), maxLabelPools)] {
		out = append(out, pool{from: by[text]})
	}
	return out
}

// alsoReplacing declares replaced what was given up and holds a coin that is taken.
func (s *step) alsoReplacing(p picked) picked {
	for _, c := range p.Coins {
		for _, tx := range s.m.holders(c.OutPoint) {
			if !slices.Contains(p.replaces, tx) && s.replaceable([]chainhash.Hash{tx}) {
				p.replaces = append(p.replaces, tx)
			}
		}
	}
	return p
}

// pickFrom selects from the first pool that suffices.
func (s *step) pickFrom(req coinselect.Request, replaced []*group.Proposal, p pool, further ...pool) (picked, error) {
	sel, err := selectFrom(req, p)
	var funds coinselect.ErrInsufficientFunds
	for ; errors.As(err, &funds) && len(further) > 0; further = further[1:] {
		p = further[0]
		sel, err = selectFrom(req, p)
	}
	if err != nil {
		return picked{}, selectionRefusal(err)
	}
	out := picked{Selection: sel, outs: make(map[wire.OutPoint]ledger.ViewOut, len(sel.Coins))}
	for _, q := range replaced {
		out.replaces = append(out.replaces, q.TxID)
	}
	for _, o := range slices.Concat(p.take, p.from) {
		out.outs[o.OutPoint] = o
	}
	return out, nil
}

func coinsOf(ps []*group.Proposal) (out []wire.OutPoint) {
	for _, q := range ps {
		for _, in := range q.Body.Inputs {
			if !slices.Contains(out, in.OutPoint()) {
				out = append(out, in.OutPoint())
			}
		}
	}
	return out
}

// mustTake returns coins that are to be taken whatever they hold; a deposit in no block
// by name only.
func (s *step) mustTake(coins []wire.OutPoint, replaced []*group.Proposal, allow []string) ([]ledger.ViewOut, error) {
	var out []ledger.ViewOut
	for i, o := range coins {
		if slices.Contains(coins[:i], o) {
			return nil, refusal.New(refusal.Coin, "%v is named twice", o)
		}
		c, ok := s.chosen(o, replaced)
		t, _ := s.m.View.Tx(o.Hash)
		deposit := ok && !c.Spendable && t.Block.Height == 0 && t.Seen && s.m.View.Valid(o.Hash)
		switch {
		case deposit && !slices.Contains(allow, refusal.UnconfirmedParent):
			return nil, refusal.New(refusal.UnconfirmedParent, "%v is of a transaction that is in no block, and that others may replace", o).MayOverride()
		case !ok || !c.Spendable && !deposit:
			return nil, refusal.New(refusal.Coin, "%v is not a spendable coin of this wallet", o).WithHint("see `quorate coins`")
		}
		out = append(out, c.ViewOut)
	}
	return out, nil
}

// free are the coins that no living proposal takes, each list with the largest first.
type free struct {
	confirmed, unconfirmed []ledger.ViewOut // may be spent at once
	held                   []ledger.ViewOut // something holds them which may be replaced
	frozen                 []ledger.ViewOut // a member froze them
}

// sayFrozen has a refusal for want of coins say that some are frozen.
func sayFrozen(err error, x Propose, frozen []ledger.ViewOut) error {
	var r *refusal.Refusal
	if len(frozen) == 0 || slices.Contains(x.Allow, refusal.CoinFrozen) || !errors.As(err, &r) || r.Rule != refusal.Funds {
		return err
	}
	var sum int64
	for _, o := range frozen {
		sum += o.Amount
	}
	return r.WithHint("members froze %s of the wallet: see `quorate coins`; `quorate coin freeze --undo` lifts that, and with --allow %s it is spent all the same", display.Amount(sum), refusal.CoinFrozen)
}

// free sorts the coins that no living proposal takes. Those taken already are left out.
func (s *step) free(taken []ledger.ViewOut) (out free) {
	for _, c := range Coins(s.m.State, s.m.View, s.now()) {
		if !c.Spendable || len(c.LeasedBy) > 0 || slices.ContainsFunc(taken, func(o ledger.ViewOut) bool { return o.OutPoint == c.OutPoint }) {
			continue
		}
		switch by := s.m.holders(c.OutPoint); {
		case len(by) > 0:
			if s.replaceable(by) && c.Frozen == nil {
				out.held = append(out.held, c.ViewOut)
			}
		case c.Frozen != nil:
			out.frozen = append(out.frozen, c.ViewOut)
		case c.Confirmations > 0:
			out.confirmed = append(out.confirmed, c.ViewOut)
		case s.m.mayBuildOn(c.OutPoint.Hash, s.in.Policy):
			out.unconfirmed = append(out.unconfirmed, c.ViewOut)
		}
	}
	for _, coins := range [][]ledger.ViewOut{out.confirmed, out.unconfirmed, out.held, out.frozen} {
		slices.SortFunc(coins, func(a, b ledger.ViewOut) int {
			return cmp.Or(cmp.Compare(b.Amount, a.Amount), cmp.Compare(mapkey.Coin(a.OutPoint), mapkey.Coin(b.OutPoint)))
		})
	}
	return out
}

// mayTake says whether a coin may be chosen: not one that is frozen, unless by name.
func (m *Machine) mayTake(coin wire.OutPoint, allow []string) bool {
	_, frozen := m.State.Frozen(coin)
	return !frozen || slices.Contains(allow, refusal.CoinFrozen)
}

// leftOf returns the coins that a transaction makes and that nothing holds, without those
// that are frozen, unless by name.
func (s *step) leftOf(tx chainhash.Hash, allow []string) (out []ledger.ViewOut) {
	for _, c := range Coins(s.m.State, s.m.View, s.now()) {
		if c.OutPoint.Hash == tx && len(c.LeasedBy) == 0 && s.m.mayTake(c.OutPoint, allow) && len(s.m.holders(c.OutPoint)) == 0 {
			out = append(out, c.ViewOut)
		}
	}
	return out
}

// holders returns the transactions over a coin that this node's key signed, or may have
// signed before a restore, and that can still be mined.
func (m *Machine) holders(o wire.OutPoint) []chainhash.Hash {
	out := m.Guard.binding(m.State, m.View, o)
	if m.restored == nil && m.bound == nil {
		return out
	}
	for q := range m.State.StatingCoin(o) {
		if len(out) > maxHeld {
			break // too many to be replaced
		}
		if !slices.Contains(out, q.TxID) && m.mayHaveSigned(q) && !group.BuriedBy(m.View, q) {
			out = append(out, q.TxID)
		}
	}
	return out
}

// replaceable says whether each of some transactions was given up.
func (s *step) replaceable(txs []chainhash.Hash) bool {
	return len(txs) <= maxHeld && !slices.ContainsFunc(txs, func(tx chainhash.Hash) bool {
		q, ok := s.m.State.Lead(tx)
		return !ok || !s.isGivenUp(q)
	})
}

// isGivenUp says whether a proposal is not to be completed any more, though it could be.
func (s *step) isGivenUp(q *group.Proposal) bool {
	switch group.Derive(s.m.State, s.m.View, s.now(), q) {
	case group.StatusWithdrawn, group.StatusRejected, group.StatusExpired, group.StatusReplaced:
		return !s.m.State.Final(q)
	}
	return false
}

// givenUp are the proposals that this node signed, that were given up, and that pay one
// of those whom x pays; and their coins that can be taken from them.
func (s *step) givenUp(x Propose) (out []*group.Proposal, take []ledger.ViewOut) {
	if slices.Contains(x.Allow, refusal.DoublePayment) {
		return nil, nil // it is meant to be paid beside them
	}
	looked := 0
	for _, o := range x.Outputs {
		if s.m.View.Owns(o.PkScript) {
			continue
		}
		for k := range mapkey.Under(s.m.watch.payments, paymentKey(o.PkScript)) {
			if looked++; looked > maxPayments || len(out) == maxPaid {
				return out, take
			}
			q, ok := s.m.State.Lead(k.Second())
			if !ok || slices.Contains(out, q) || !s.signedByMe(q) || !s.isGivenUp(q) || group.BuriedBy(s.m.View, q) {
				continue
			}
			if coins, ok := s.takeFrom(q, take, x.Allow); ok {
				out, take = append(out, q), append(take, coins...)
			}
		}
	}
	return out, take
}

func (s *step) signedByMe(q *group.Proposal) bool {
	if s.m.Guard.holds(q) {
		return true
	}
	me, ok := s.m.State.Active().Index(s.m.State.Me())
	return ok && s.m.State.SignedInputs(q, me) > 0
}

// takeFrom returns those coins of a given-up proposal that no living one takes and that
// nothing else holds which could not be replaced; ok where there is one, or where one is
// taken already.
func (s *step) takeFrom(q *group.Proposal, taken []ledger.ViewOut, allow []string) (coins []ledger.ViewOut, ok bool) {
	for _, in := range q.Body.Inputs {
		if slices.ContainsFunc(taken, func(o ledger.ViewOut) bool { return o.OutPoint == in.OutPoint() }) {
			ok = true
			continue
		}
		c, found := s.chosen(in.OutPoint(), []*group.Proposal{q})
		if found && c.Spendable && len(c.LeasedBy) == 0 && s.m.mayTake(in.OutPoint(), allow) && s.replaceable(s.m.holders(in.OutPoint())) {
			coins, ok = append(coins, c.ViewOut), true
		}
	}
	return coins, ok
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
	return Coin{ViewOut: out, Spendable: s.m.View.Confirmations(o.Hash) > 0 || spendableChange(s.m.State, s.m.View, out)}, true
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

// replaced resolves --replaces.
func (s *step) replaced(ids []journal.EntryID) ([]*group.Proposal, error) {
	var out []*group.Proposal
	for _, id := range ids {
		p, ok := s.m.State.Proposal(id)
		if !ok || !p.Sound {
			return nil, fmt.Errorf("replace %s: %w", id, refusal.ErrUnknownProposal)
		}
		if _, err := s.m.mayAct(ActReplace, asked{p: p, now: s.now()}); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
