package coordinator

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal/pmap"
)

// Guard is the sign guard: for each coin, every transaction this node ever
// signed that spends it. It is durable before a signature leaves, it only
// grows, and it is asked before every signature.
type Guard struct {
	signed pmap.Map[mapkey.ByCoin, []chainhash.Hash]
	coins  pmap.Map[byTxCoin, bool] // by txid | outpoint: the same the other way round
}

// NewGuard returns a guard that knows these records.
func NewGuard(records []port.GuardRecord) Guard {
	var g Guard
	for _, r := range records {
		g = g.add(r)
	}
	return g
}

func (g Guard) add(r port.GuardRecord) Guard {
	k := mapkey.Coin(r.OutPoint)
	old, _ := g.signed.Get(k)
	if slices.Contains(old, r.TxID) {
		return g
	}
	g.signed = g.signed.Set(k, append(slices.Clone(old), r.TxID))
	g.coins = g.coins.Set(byTxCoin(r.TxID[:])+byTxCoin(k), true)
	return g
}

// Known returns the transactions signed for a coin.
func (g Guard) Known(k mapkey.ByCoin) []chainhash.Hash {
	out, _ := g.signed.Get(k)
	return out
}

// holds says whether this node released a proposal's transaction before, or let
// it out to be signed.
func (g Guard) holds(p *group.Proposal) bool {
	for _, in := range p.Body.Inputs {
		if !slices.Contains(g.Known(mapkey.Coin(in.OutPoint())), p.TxID) {
			return false
		}
	}
	return true
}

// ever says whether this node signed a transaction at any time.
func (g Guard) ever(tx chainhash.Hash) bool { return mapkey.HasPrefix(g.coins, byTxCoin(tx[:])) }

// check says whether a signature on p may be released: each earlier
// transaction that this node signed for one of its coins must be the same, be
// named in p's replaces, or be dead by buriedDepth blocks in this node's own
// view (derived, so that a reorg arms it again). It returns what to record.
// What the group's entries prove that this key signed counts as well: a store
// that was restored from an old copy does not know all it signed.
func (g Guard) check(s group.State, v ledger.View, p *group.Proposal) ([]port.GuardUpdate, error) {
	var updates []port.GuardUpdate
	for _, in := range p.Body.Inputs {
		known := g.Known(mapkey.Coin(in.OutPoint()))
		for _, tx := range g.binding(s, v, in.OutPoint()) {
			if tx != p.TxID && !slices.Contains(p.Body.Replaces, tx) {
				return nil, signedBefore(s, p, tx, in.OutPoint())
			}
		}
		if !slices.Contains(known, p.TxID) {
			updates = append(updates, port.GuardUpdate{GuardRecord: port.GuardRecord{OutPoint: in.OutPoint(), TxID: p.TxID}, Known: slices.Clone(known)})
		}
	}
	return updates, nil
}

// binding returns the transactions over a coin that this node's key signed and that
// could still be mined: what it may not sign another beside.
func (g Guard) binding(s group.State, v ledger.View, o wire.OutPoint) (out []chainhash.Hash) {
	for _, tx := range append(slices.Clone(g.Known(mapkey.Coin(o))), s.SignedCoin(o)...) {
		if !slices.Contains(out, tx) && !g.buried(v, tx) && !s.Buried(v, tx) {
			out = append(out, tx)
		}
	}
	return out
}

// signedBefore refuses a signature of p for what was signed before. Only its author can
// name what p replaces.
func signedBefore(s group.State, p *group.Proposal, tx chainhash.Hash, o wire.OutPoint) error {
	what := fmt.Sprintf("transaction %v", tx)
	other := "the proposal of that transaction"
	if q, ok := s.Lead(tx); ok {
		what, other = fmt.Sprintf("proposal %s", q.Ref.ID), q.Ref.ID.String()
	}
	r := refusal.New(refusal.SignGuard, "this node already signed %s, which spends the same coin %v", what, o)
	if s.SameMember(p.Author(), s.Me()) {
		return r.WithHint("propose with --replaces %s, or choose other coins", other)
	}
	return r.WithHint("have its author propose it again with --replaces %s, or with other coins", other)
}

// buried says whether a transaction this node signed can never confirm: one of
// the coins it was signed for is spent by another transaction 6 deep.
func (g Guard) buried(v ledger.View, tx chainhash.Hash) bool {
	for k := range pmap.Prefix(g.coins, byTxCoin(tx[:])) {
		for by := range v.Rivals(mapkey.CoinOf(k[len(tx):])) {
			if by != tx && v.Confirmations(by) >= ledger.BuriedDepth {
				return true
			}
		}
	}
	return false
}

// askToSign has the signer asked for a proposal's signatures, with what the sign guard will
// hold, and with which outputs are the wallet's own.
func (s *step) askToSign(p *group.Proposal, of Signed) error {
	guard, err := s.m.Guard.check(s.m.State, s.m.View, p)
	if err != nil {
		return err
	}
	spend, err := p.Spend(s.m.State.Active())
	if err != nil {
		return err
	}
	s.do(Sign{Spend: spend.WithOwn(s.m.ownOutputs(p)...), Guard: guard, Signed: of})
	return nil
}
