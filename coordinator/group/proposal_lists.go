package group

import (
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// ProposalsOf yields the proposals of a transaction, from a place on, with their
// places.
func (s proposalFacts) ProposalsOf(tx mapkey.ByTx, at ByTxProposal) iter.Seq2[ByTxProposal, *Proposal] {
	return func(yield func(ByTxProposal, *Proposal) bool) {
		for k := range pmap.PrefixFrom(s.props.byTx, ByTxProposal(tx), at) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(k, p) {
				return
			}
		}
	}
}

// ProposedTx says whether somebody proposed a transaction.
func (s proposalFacts) ProposedTx(tx chainhash.Hash) bool {
	return mapkey.HasUnder(s.props.byTx, tx)
}

// StatingCoin yields every proposal that states a coin as an input.
func (s proposalFacts) StatingCoin(o wire.OutPoint) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for k := range pmap.Prefix(s.props.byCoin, byCoinPlace(mapkey.Coin(o))) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}
}

// ByTime yields the proposals, newest first by the time their authors claim, after
// one of them or from the first on, whether they have effect or not.
func (s proposalFacts) ByTime(after *Ref) iter.Seq[*Proposal] {
	var from byTime
	if after != nil {
		from = timeKey(*after) + "\x00"
	}
	return func(yield func(*Proposal) bool) {
		for k := range s.props.byTime.From(from) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}
}

// Spent says whether a proposal spends a coin, or any output of a transaction
// where mapkey.Coins is given.
func (s proposalFacts) Spent(coins mapkey.ByCoin) bool {
	return mapkey.HasPrefix(s.props.spending, mapkey.ByCoinTx(coins))
}

// VisitSpending visits the transactions that spend coins (as Spent), from a place
// on, until the visits cost so much. It returns what they cost, and the first place
// that is left, or "".
func (s proposalFacts) VisitSpending(coins mapkey.ByCoin, at mapkey.ByCoinTx, most int, visit func(tx chainhash.Hash) int) (used int, next mapkey.ByCoinTx) {
	return gone(s.props.spending, mapkey.ByCoinTx(coins), at, most, func(k mapkey.ByCoinTx, _ struct{}) int { return visit(chainhash.Hash([]byte(k[36:]))) })
}

// VisitResting visits the proposals that rest on the entries of a chain from a seq
// on (see restsFrom), likewise.
func (s proposalFacts) VisitResting(of mapkey.ByChain, at mapkey.ByPlace, most int, visit func(journal.EntryID) int) (used int, next mapkey.ByPlace) {
	return gone(s.props.rests, mapkey.ByPlace(of), at, most, func(_ mapkey.ByPlace, id journal.EntryID) int { return visit(id) })
}

// gone goes through a part of an index, from a key on, until the visits cost so
// much. It returns what they cost, and the first key that is left, or "".
func gone[K ~string, V any](m pmap.Map[K, V], prefix, from K, most int, visit func(K, V) int) (used int, next K) {
	for k, v := range pmap.PrefixFrom(m, prefix, from) {
		if used >= most {
			return used, k
		}
		used += max(1, visit(k, v))
	}
	return used, ""
}
