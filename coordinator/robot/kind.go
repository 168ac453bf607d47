package robot

import (
	"cmp"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/policy"
)

// maxRivals is how many transactions over the coins of one are looked at. Where there are
// more, it is no bump.
const maxRivals = 256

// KindOf says what a proposal's transaction is, as far as this robot can tell; signedByMe says
// of a transaction whether its key signed it. What the entry claims makes it nothing; but
// what it says that it replaces a bump has to be of, too.
//
// A bump replaces something, all that it replaces was signed by this robot and shares a coin
// with it, and it pays nobody but those whom that pays, and none of them more. Of several that
// it replaces and that could all have been mined it may pay all payees; of rivals only those
// of one.
func KindOf(s group.State, v ledger.View, p *group.Proposal, signedByMe func(chainhash.Hash) bool) policy.Kind {
	return kindAt(s, v, p, signedByMe, Moment{
		Known: func(chainhash.Hash) bool { return true },
		Gone:  func(id chainhash.Hash) bool { return never(s, v, id) },
		Open:  func(id chainhash.Hash) bool { return unconfirmed(s, v, id) },
	})
}

func kindAt(s group.State, v ledger.View, p *group.Proposal, signedByMe func(chainhash.Hash) bool, at Moment) policy.Kind {
	paid := strangers(v, p)
	over, all := replaced(s, v, p, at)
	switch {
	case len(paid) == 0 && slices.ContainsFunc(over, func(r rival) bool { return r.live || signedByMe(r.id) }):
		return policy.Cancel
	case len(paid) == 0 && slices.ContainsFunc(p.Body.Inputs, func(in event.ProposalInput) bool { return at.Open(in.TxID) }):
		return policy.CPFP
	case len(paid) == 0:
		return policy.Consolidation
	case all && bumps(p, paid, over, signedByMe):
		return policy.Bump
	}
	return policy.Payment
}

// rival is a transaction that another one replaces.
type rival struct {
	id    chainhash.Hash
	live  bool            // somebody signed it or the network showed it, and it may be mined
	coins []wire.OutPoint // nil where it is not known
	paid  []wire.TxOut
}

// strangers are a proposal's outputs that are not the wallet's own.
func strangers(v ledger.View, p *group.Proposal) (out []event.ProposalOutput) {
	for _, o := range p.Body.Outputs {
		if !isOwn(v, o) {
			out = append(out, o)
		}
	}
	return out
}

// isOwn says whether an output is the wallet's own.
func isOwn(v ledger.View, o event.ProposalOutput) bool { return o.Change != nil || v.Owns(o.PkScript) }

// replaced are the transactions that p takes the place of: those it names, of which it takes
// a coin or which are not known, and all others over its coins that anybody signed, or the
// network showed, and that may still be mined. All is false where there are more than are
// looked at.
func replaced(s group.State, v ledger.View, p *group.Proposal, at Moment) (out []rival, all bool) {
	seen, coins := map[chainhash.Hash]bool{p.TxID: true}, coinsIn(p)
	all = true
	note := func(id chainhash.Hash, named bool) {
		if seen[id] {
			return
		}
		if len(seen) > maxRivals {
			all = false
			return
		}
		seen[id] = true
		if !at.Known(id) {
			return
		}
		_, shown := v.Tx(id)
		given := shown || s.Released(id)
		if !named && !given {
			return
		}
		r := rivalOf(s, v, id)
		if r.live = given && r.shares(coins) && !at.Gone(id); named || r.live {
			out = append(out, r)
		}
	}
	for _, id := range p.Body.Replaces {
		note(id, true)
	}
	for _, in := range p.Body.Inputs {
		for id := range v.Rivals(in.OutPoint()) {
			note(id, false)
		}
		_, next := s.VisitSpending(mapkey.Coin(in.OutPoint()), mapkey.ByCoinTx(mapkey.Coin(in.OutPoint())), 2*maxRivals, func(id chainhash.Hash) int {
			note(id, false)
			return 1
		})
		all = all && next == ""
	}
	slices.SortFunc(out, func(a, b rival) int { return slices.Compare(a.id[:], b.id[:]) })
	return out, all
}

// never says whether a transaction can never be mined, since a rival of it is so deep.
func never(s group.State, v ledger.View, id chainhash.Hash) bool {
	for _, c := range coinsOf(s, v, id) {
		for by := range v.Rivals(c) {
			if by != id && v.Confirmations(by) >= ledger.BuriedDepth {
				return true
			}
		}
	}
	return false
}

// coinsOf are those that a transaction spends, nil where it is not known.
func coinsOf(s group.State, v ledger.View, id chainhash.Hash) (out []wire.OutPoint) {
	if t, ok := v.Tx(id); ok {
		for _, in := range t.Tx.TxIn {
			out = append(out, in.PreviousOutPoint)
		}
	} else if q, ok := s.AnyOf(id); ok {
		for _, in := range q.Body.Inputs {
			out = append(out, in.OutPoint())
		}
	}
	return out
}

func rivalOf(s group.State, v ledger.View, id chainhash.Hash) rival {
	r := rival{id: id, coins: coinsOf(s, v, id)}
	if q, ok := s.AnyOf(id); ok {
		for _, o := range strangers(v, q) {
			r.paid = append(r.paid, wire.TxOut{Value: o.Amount, PkScript: o.PkScript})
		}
	} else if t, ok := v.Tx(id); ok {
		for _, o := range t.Tx.TxOut {
			if !v.Owns(o.PkScript) {
				r.paid = append(r.paid, *o)
			}
		}
	}
	return r
}

// coinsIn are those that a proposal spends.
func coinsIn(p *group.Proposal) map[wire.OutPoint]bool {
	out := make(map[wire.OutPoint]bool, len(p.Body.Inputs))
	for _, in := range p.Body.Inputs {
		out[in.OutPoint()] = true
	}
	return out
}

// shares says whether a transaction spends one of some coins.
func (r rival) shares(coins map[wire.OutPoint]bool) bool {
	return slices.ContainsFunc(r.coins, func(c wire.OutPoint) bool { return coins[c] })
}

func bumps(p *group.Proposal, paid []event.ProposalOutput, over []rival, signedByMe func(chainhash.Hash) bool) bool {
	coins, taken := coinsIn(p), map[wire.OutPoint]bool{}
	apart := true // they could all be mined, but for this one
	for _, r := range over {
		if !r.shares(coins) || !signedByMe(r.id) {
			return false
		}
		apart = apart && !r.shares(taken)
		for _, c := range r.coins {
			taken[c] = true
		}
	}
	var theirs []wire.TxOut
	for _, r := range over {
		if within(paid, r.paid) {
			return true
		}
		theirs = append(theirs, r.paid...)
	}
	return apart && within(paid, theirs) // of none it is none, since somebody is paid
}

// within says whether each output has one of others of its own, to the same script and of at
// least its amount.
func within(paid []event.ProposalOutput, theirs []wire.TxOut) bool {
	left := map[byScript][]int64{}
	for _, o := range theirs {
		left[byScript(o.PkScript)] = append(left[byScript(o.PkScript)], o.Value)
	}
	for _, of := range left {
		slices.SortFunc(of, func(a, b int64) int { return cmp.Compare(b, a) })
	}
	paid = slices.Clone(paid)
	slices.SortStableFunc(paid, func(a, b event.ProposalOutput) int { return cmp.Compare(b.Amount, a.Amount) })
	for _, o := range paid { // the largest first, each against the largest that is left
		of := left[byScript(o.PkScript)]
		if len(of) == 0 || of[0] < o.Amount {
			return false
		}
		left[byScript(o.PkScript)] = of[1:]
	}
	return true
}

// unconfirmed says whether a transaction is known and in no block.
func unconfirmed(s group.State, v ledger.View, id chainhash.Hash) bool {
	t, shown := v.Tx(id)
	return shown && t.Block.Height == 0 || !shown && s.ProposedTx(id)
}
