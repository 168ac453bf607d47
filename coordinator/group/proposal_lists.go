package group

import (
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// ProposalsOf yields the proposals of a transaction (32 bytes), from a place on,
// with their places.
func (s proposalFacts) ProposalsOf(tx, at string) iter.Seq2[string, *Proposal] {
	return func(yield func(string, *Proposal) bool) {
		for k := range pmap.PrefixFrom(s.props.byTx, tx, at) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(k, p) {
				return
			}
		}
	}
}

// ProposedTx says whether somebody proposed a transaction.
func (s proposalFacts) ProposedTx(tx chainhash.Hash) bool {
	return mapkey.HasPrefix(s.props.byTx, mapkey.Of(tx))
}

// StatingCoin yields every proposal that states a coin as an input.
func (s proposalFacts) StatingCoin(o wire.OutPoint) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for k := range pmap.Prefix(s.props.byCoin, mapkey.Coin(o)) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}
}

// ByTime yields the proposals, newest first by the time their authors claim, after
// one of them or from the first on, whether they have effect or not.
func (s proposalFacts) ByTime(after *Ref) iter.Seq[*Proposal] {
	from := ""
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
// where its id alone is given (see mapkey.Coin).
func (s proposalFacts) Spent(coins string) bool { return mapkey.HasPrefix(s.props.spending, coins) }

// VisitSpending visits the transactions that spend coins (as Spent), from a place
// on, until the visits cost so much. It returns what they cost, and the first place
// that is left, or "".
func (s proposalFacts) VisitSpending(coins, at string, most int, visit func(tx chainhash.Hash) int) (used int, next string) {
	return gone(s.props.spending, coins, at, most, func(k string, _ struct{}) int { return visit(chainhash.Hash([]byte(k[36:]))) })
}

// VisitResting visits the proposals that rest on the entries of a chain from a seq
// on (see restsFrom), likewise.
func (s proposalFacts) VisitResting(of, at string, most int, visit func(journal.EntryID) int) (used int, next string) {
	return gone(s.props.rests, of, at, most, func(_ string, id journal.EntryID) int { return visit(id) })
}

// gone goes through a part of an index, from a key on, until the visits cost so
// much. It returns what they cost, and the first key that is left, or "".
func gone[V any](m pmap.Map[string, V], prefix, from string, most int, visit func(string, V) int) (used int, next string) {
	for k, v := range pmap.PrefixFrom(m, prefix, from) {
		if used >= most {
			return used, k
		}
		used += max(1, visit(k, v))
	}
	return used, ""
}
