package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// The sane bound of a fee: at most 1,000 sat/vB, and at most 5 % of what
// leaves the wallet or 50,000 satoshis, whichever is more.
const (
	maxFeeRate  = wallet.FeeRate(1_000_000) // satoshis per 1000 vbytes
	maxFeeFloor = 50_000                    // satoshis
	maxFeeShare = 20                        // 1/20 of what is sent
)

// feeBound is the highest fee of a proposal that needs no name, in satoshis.
func feeBound(v ledger.View, p *group.Proposal, vsize int64) int64 {
	return min(maxFeeRate.Fee(vsize), max(leaves(v, p)/maxFeeShare, maxFeeFloor))
}

func checkFee(v ledger.View, p *group.Proposal, vsize int64) *refusal.Refusal {
	bound := feeBound(v, p, vsize)
	if fee := p.Fee(); fee > bound {
		return refusal.New(refusal.Fee, "the fee of %s is above the bound of %s", display.Amount(fee), display.Amount(bound)).MayOverride()
	}
	return nil
}

// checkTransaction is what each node recomputes before it shows a proposal as
// sound, or signs it: inputs, amounts, change, fee and locktime, in its own
// view of the chain. What it cannot verify yet is chain_behind.
func checkTransaction(s group.State, v ledger.View, now time.Time, p *group.Proposal, allow []string) error {
	spend, err := p.Spend(s.Active())
	if err != nil {
		return refusal.New(refusal.Coin, "the proposal describes no valid transaction: %v", err)
	}
	if !v.Synced() {
		return refusal.New(refusal.ChainBehind, "the chain is not synced on this node").WithHint("wait until `status` shows it synced")
	}
	for n, in := range p.Body.Inputs {
		if err := checkInput(s, v, n, in, p, allow); err != nil {
			return err
		}
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil && *o.Change >= v.Used(wallet.BranchChange)+ledger.ChangeGap {
			return refusal.New(refusal.Change, "change goes to index %d, more than %d past the last used one", *o.Change, ledger.ChangeGap)
		}
	}
	if r := checkFee(v, p, spend.VSize()); r != nil && !slices.Contains(allow, r.Rule) {
		return r
	}
	if lt := p.Body.LockTime; lt != 0 && (lt >= 500_000_000 || int32(lt) > v.Tip().Height) {
		return refusal.New(refusal.LockTime, "locktime %d is ahead of this node's chain at height %d", lt, v.Tip().Height)
	}
	return nil
}

// seenIn says whether a mempool shows a transaction.
func seenIn(v ledger.View, tx chainhash.Hash) bool {
	t, ok := v.Tx(tx)
	return ok && t.Seen
}

func checkInput(s group.State, v ledger.View, n int, in event.ProposalInput, p *group.Proposal, allow []string) error {
	o, ok := v.Out(in.OutPoint())
	if !ok {
		return refusal.New(refusal.ChainBehind, "input %d (%v) is not a coin this node sees", n, in.OutPoint()).
			WithHint("wait for this node's chain to catch up, or reject the proposal")
	}
	if o.Amount != in.Amount || o.Branch != in.Branch || o.Index != in.Index {
		return refusal.New(refusal.Coin, "input %d (%v) is not as the proposal states it", n, in.OutPoint())
	}
	if by, ok := v.SpentBy(in.OutPoint()); ok && by != p.TxID {
		return refusal.New(refusal.Conflict, "input %d was spent by transaction %v", n, by)
	}
	conf := v.Confirmations(in.TxID)
	switch {
	case o.Coinbase && conf < ledger.CoinbaseMaturity:
		return refusal.New(refusal.ChainBehind, "input %d is a coinbase with %d of 100 confirmations", n, conf)
	case v.Refused(in.TxID):
		u, _ := v.Unsent(in.TxID)
		return refusal.New(refusal.ChainBehind, "input %d is of a transaction that the Bitcoin node does not take: %s", n, u.Reason).
			WithHint("replace that one first, with a higher fee")
	case conf == 0 && !spendableChange(s, v, o) && v.Valid(in.TxID) && seenIn(v, in.TxID):
		if slices.Contains(allow, refusal.UnconfirmedParent) {
			return nil
		}
		return refusal.New(refusal.UnconfirmedParent, "input %d is of a transaction that is in no block, and that others may replace", n).MayOverride()
	case conf == 0 && !spendableChange(s, v, o):
		return refusal.New(refusal.ChainBehind, "input %d is not confirmed in this node's chain", n)
	}
	return nil
}

// checkFrozen refuses to spend what a member froze.
func checkFrozen(s group.State, p *group.Proposal, allow []string) error {
	if slices.Contains(allow, refusal.CoinFrozen) {
		return nil
	}
	for _, in := range p.Body.Inputs {
		f, frozen := s.Frozen(in.OutPoint())
		if !frozen {
			continue
		}
		by, why := "a cosigner", ""
		if k, ok := s.Active().KeyOf(f.Ref.Chain.Author); ok {
			by = s.Active().Members[k].Called()
		}
		if f.Note != "" {
			why = fmt.Sprintf(": %q", display.Line(f.Note))
		}
		return refusal.New(refusal.CoinFrozen, "coin %v was frozen by %s%s", in.OutPoint(), by, why).
			WithHint("`quorate coin freeze --undo` lifts that; to spend it all the same, repeat with --allow %s", refusal.CoinFrozen).MayOverride()
	}
	return nil
}

// leaves returns what a proposal pays to others, in satoshis: not to change, nor
// to an address of the wallet.
func leaves(v ledger.View, p *group.Proposal) int64 {
	var sum int64
	for _, o := range p.Body.Outputs {
		if o.Change == nil && !v.Owns(o.PkScript) {
			sum += o.Amount
		}
	}
	return sum
}

func paysTo(p *group.Proposal, script []byte) int64 {
	var sum int64
	for _, o := range p.Body.Outputs {
		if o.Change == nil && string(o.PkScript) == string(script) {
			sum += o.Amount
		}
	}
	return sum
}
