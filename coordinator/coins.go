package coordinator

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/wallet"
)

// maxLeasing is how many of one author's live proposals lease coins, so that a
// member cannot take them all by proposing.
const maxLeasing = 64

// Coin is an unspent output of the wallet, as this node sees it.
type Coin struct {
	ledger.ViewOut
	Confirmations int32
	// LeasedBy are the live proposals that would spend it, by id.
	LeasedBy []*group.Proposal
	// Frozen is by whom it is not to be spent for now, or nil.
	Frozen *group.Freeze
	// Spendable: confirmed (and mature), or change of our own final transaction.
	Spendable bool
}

// Balance is in satoshis. Confirmed and Unconfirmed add up to what the wallet
// holds; Leased is the part that live proposals would spend; Frozen what members
// froze of the rest; Spendable is what a new proposal may choose from.
type Balance struct{ Confirmed, Unconfirmed, Leased, Frozen, Spendable int64 }

// Coins returns the unspent outputs of the wallet. An output spent by an
// unconfirmed transaction that the network has seen counts as spent.
func Coins(s group.State, v ledger.View, now time.Time) []Coin {
	if s.Active() == nil {
		return nil
	}
	var out []Coin
	for o := range v.Unspent() {
		if c, ok := coin(s, v, now, o); ok {
			out = append(out, c)
		}
	}
	limitLeases(out)
	return out
}

func coin(s group.State, v ledger.View, now time.Time, o ledger.ViewOut) (Coin, bool) {
	c := Coin{ViewOut: o, Confirmations: v.Confirmations(o.OutPoint.Hash)}
	if !counts(s, v, o.OutPoint.Hash) {
		return c, false
	}
	for by := range v.Rivals(o.OutPoint) {
		if counts(s, v, by) {
			return c, false
		}
	}
	switch {
	case o.Coinbase:
		c.Spendable = c.Confirmations >= ledger.CoinbaseMaturity
	case c.Confirmations > 0:
		c.Spendable = true
	default:
		c.Spendable = spendableChange(s, v, o)
	}
	if f, ok := s.Frozen(o.OutPoint); ok {
		c.Frozen = &f
	}
	for _, p := range s.Spenders(o.OutPoint) {
		if group.Derive(s, v, now, p).Live() {
			c.LeasedBy = append(c.LeasedBy, p)
		}
	}
	return c, true
}

// counts says whether a transaction is reckoned with: it is in a block, or the
// network has seen it and it can still confirm, or it is ours to be broadcast.
// One that a reorg took out of its block and no mempool shows is nobody's.
func counts(s group.State, v ledger.View, tx chainhash.Hash) bool {
	t, ok := v.Tx(tx)
	switch {
	case !ok:
		return false
	case t.Block.Height > 0:
		return true
	}
	return (t.Seen && v.Valid(tx) && !lost(s, v, tx)) || winning(s, v, tx)
}

// spendableChange says whether an output is change of a final transaction of ours that
// is the one to be broadcast, and that the Bitcoin node does not refuse.
func spendableChange(s group.State, v ledger.View, o ledger.ViewOut) bool {
	return o.Branch == wallet.BranchChange && winning(s, v, o.OutPoint.Hash) && !v.Refused(o.OutPoint.Hash)
}

// lost says whether a transaction of ours gave way to a rival: its outputs are
// nobody's unless a block says otherwise.
func lost(s group.State, v ledger.View, tx chainhash.Hash) bool {
	p, ok := s.Lead(tx)
	return ok && s.Final(p) && !s.Broadcastable(v, p)
}

// winning says whether a transaction is final and the one to be broadcast.
func winning(s group.State, v ledger.View, tx chainhash.Hash) bool {
	p, ok := s.Lead(tx)
	return ok && s.Broadcastable(v, p)
}

// limitLeases lets at most maxLeasing proposals of an author lease: its oldest.
func limitLeases(coins []Coin) {
	byAuthor := map[string]map[string]*group.Proposal{}
	for _, c := range coins {
		for _, p := range c.LeasedBy {
			a := string(p.Ref.Chain.Author[:])
			if byAuthor[a] == nil {
				byAuthor[a] = map[string]*group.Proposal{}
			}
			byAuthor[a][string(p.Ref.ID[:])] = p
		}
	}
	drop := map[string]bool{}
	for _, ps := range byAuthor {
		if len(ps) <= maxLeasing {
			continue
		}
		all := make([]*group.Proposal, 0, len(ps))
		for _, p := range ps {
			all = append(all, p)
		}
		slices.SortFunc(all, func(a, b *group.Proposal) int {
			if group.Later(a.Ref, b.Ref) {
				return 1
			}
			if group.Later(b.Ref, a.Ref) {
				return -1
			}
			return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:])
		})
		for _, p := range all[maxLeasing:] {
			drop[string(p.Ref.ID[:])] = true
		}
	}
	if len(drop) == 0 {
		return
	}
	for i := range coins {
		coins[i].LeasedBy = slices.DeleteFunc(slices.Clone(coins[i].LeasedBy), func(p *group.Proposal) bool { return drop[string(p.Ref.ID[:])] })
	}
}

// Sum adds coins up.
func Sum(coins []Coin) Balance {
	var b Balance
	for _, c := range coins {
		if c.Confirmations > 0 {
			b.Confirmed += c.Amount
		} else {
			b.Unconfirmed += c.Amount
		}
		switch {
		case len(c.LeasedBy) > 0:
			b.Leased += c.Amount
		case c.Frozen != nil:
			b.Frozen += c.Amount
		case c.Spendable:
			b.Spendable += c.Amount
		}
	}
	return b
}

// find returns the coin of an outpoint.
func find(s group.State, v ledger.View, now time.Time, o wire.OutPoint) (Coin, bool) {
	out, ok := v.Out(o)
	if !ok {
		return Coin{}, false
	}
	return coin(s, v, now, out)
}

// theTx returns a proposal's transaction as it stands: the mined one once it
// is mined (its witness is then the transaction), else the one built from the
// signatures held, else the one that the network shows, where it is signed.
func theTx(s group.State, v ledger.View, p *group.Proposal) (*wire.MsgTx, error) {
	t, known := v.Tx(p.TxID)
	if known && t.Block.Height > 0 {
		return t.Tx, nil
	}
	tx, err := s.FinalTx(p)
	if errors.Is(err, wallet.ErrMissingSignatures) && known && t.Seen && isSigned(s, v, p, t.Tx) {
		return t.Tx, nil // the network shows what this node does not hold all signatures of
	}
	return tx, err
}

// isSigned says whether the witness with which the network shows a transaction is one:
// the txid says nothing of it, and whoever shows it may have left it out.
func isSigned(s group.State, v ledger.View, p *group.Proposal, tx *wire.MsgTx) bool {
	prev := make([]wallet.Output, 0, len(p.Body.Inputs))
	for _, i := range p.Body.Inputs {
		o, ok := v.Out(i.OutPoint())
		if !ok {
			return false
		}
		script, err := s.Active().Descriptor.PkScript(o.Branch, o.Index)
		if err != nil {
			return false
		}
		prev = append(prev, wallet.Output{PkScript: script, Amount: o.Amount})
	}
	return wallet.CheckTx(tx, prev) == nil
}
