package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/wallet"
)

// Refusal is a command refused by a rule. Rule is a stable name; where the
// rule may be overridden, Override is the name to give to do so.
type Refusal struct {
	Rule, Text, Hint string
	Overridable      bool
}

func (r *Refusal) Error() string { return r.Text }

// The rules that refuse. The first group cannot be overridden.
const (
	RuleNotActive     = "wallet_not_active"
	RuleWordsDiffer   = "words_differ"
	RuleNotReady      = "not_ready"
	RuleAlreadyActive = "already_active"
	RuleAbandoned     = "abandoned"
	RuleNoPlace       = "no_place_left"
	RuleNotFounder    = "not_the_founder"
	RuleGap           = "address_gap"
	RuleFunds         = "insufficient_funds"
	RuleDust          = "dust"
	RuleChainBehind   = "chain_behind"
	RuleConflict      = "conflicted"
	RuleWithdrawn     = "withdrawn"
	RuleExpired       = "expired"
	RuleAlreadyFinal  = "already_final"
	RuleNoKey         = "no_key"
	RuleSignGuard     = "sign_guard"
	RuleChange        = "change_out_of_range"
	RuleCoin          = "bad_coin"
	RuleNotAuthor     = "not_the_author"
	RuleLockTime      = "locktime_ahead"
	RuleFeeUnknown    = "fee_unknown"
	RuleReplaceFee    = "replacement_fee"
	RuleOwnChain      = "own_chain_forked"
	RuleSuperseded    = "superseded"
	RuleFee           = "fee_too_high"
	RuleDoublePayment = "possible_double_payment"
	RuleNotExternal   = "key_not_external"
	RuleProved        = "key_entered"
	RuleKeyTaken      = "key_taken"
	RuleProof         = "bad_proof"
	RuleBadKey        = "bad_key"
	RuleUnprovenKey   = "unproven_key"
	RuleExternalKey   = "external_key"
	RuleHosted        = "hosted_cosigner"
	RuleNotHosted     = "not_hosted"
	RuleArchived      = "archived"
	RuleNameTaken     = "name_taken"
	RuleBadName       = "bad_name"
	RuleNotEmpty      = "wallet_not_empty"
	RuleNoProposal    = "no_such_proposal"
	RuleNotOfWallet   = "not_of_wallet"
	RulePSBTChanged   = "psbt_changed"
	RulePSBTSignature = "psbt_signature"
	RulePSBTUnsigned  = "psbt_unsigned"
	RuleBadHeight     = "bad_height"
)

// Errors that are no rule.
var (
	// ErrUnknownProposal is returned for an id that names no proposal.
	ErrUnknownProposal = errors.New("no such proposal")
	// ErrBadRequest is returned for a command that makes no sense.
	ErrBadRequest = errors.New("bad request")
)

func refuse(rule, format string, args ...any) *Refusal {
	return &Refusal{Rule: rule, Text: fmt.Sprintf(format, args...)}
}

func (r *Refusal) hint(format string, args ...any) *Refusal {
	r.Hint = fmt.Sprintf(format, args...)
	return r
}

func (r *Refusal) overridable() *Refusal {
	r.Overridable = true
	if r.Hint == "" {
		r.Hint = "if it is meant, repeat with --allow " + r.Rule
	}
	return r
}

// The sane bound of a fee: at most 1,000 sat/vB, and at most 5 % of what
// leaves the wallet or 50,000 satoshis, whichever is more.
const (
	maxFeeRate  = wallet.FeeRate(1_000_000) // satoshis per 1000 vbytes
	maxFeeFloor = 50_000                    // satoshis
	maxFeeShare = 20                        // 1/20 of what is sent
)

func checkFee(v ledger.View, p *group.Proposal, vsize int64) *Refusal {
	bound := min(maxFeeRate.Fee(vsize), max(leaves(v, p)/maxFeeShare, maxFeeFloor))
	if fee := p.Fee(); fee > bound {
		return refuse(RuleFee, "the fee of %d sat is above the bound of %d sat", fee, bound).overridable()
	}
	return nil
}

// checkTransaction is what each node recomputes before it shows a proposal as
// sound, or signs it: inputs, amounts, change, fee and locktime, in its own
// view of the chain. What it cannot verify yet is chain_behind.
func checkTransaction(s group.State, v ledger.View, now time.Time, p *group.Proposal, allow []string) error {
	spend, err := p.Spend(s.Active())
	if err != nil {
		return refuse(RuleCoin, "the proposal describes no valid transaction: %v", err)
	}
	if !v.Synced() {
		return refuse(RuleChainBehind, "the chain is not synced on this node").hint("wait until `status` shows it synced")
	}
	for n, in := range p.Body.Inputs {
		if err := checkInput(s, v, now, p, n, in); err != nil {
			return err
		}
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil && *o.Change >= v.Used(wallet.BranchChange)+ledger.ChangeGap {
			return refuse(RuleChange, "change goes to index %d, more than %d past the last used one", *o.Change, ledger.ChangeGap)
		}
	}
	if r := checkFee(v, p, spend.VSize()); r != nil && !slices.Contains(allow, r.Rule) {
		return r
	}
	if lt := p.Body.LockTime; lt != 0 && (lt >= 500_000_000 || int32(lt) > v.Tip().Height) {
		return refuse(RuleLockTime, "locktime %d is ahead of this node's chain at height %d", lt, v.Tip().Height)
	}
	return nil
}

func checkInput(s group.State, v ledger.View, now time.Time, p *group.Proposal, n int, in event.ProposalInput) error {
	o, ok := v.Out(in.OutPoint())
	if !ok {
		return refuse(RuleChainBehind, "input %d (%v) is not a coin this node sees", n, in.OutPoint()).
			hint("wait for this node's chain to catch up, or reject the proposal")
	}
	if o.Amount != in.Amount || o.Branch != in.Branch || o.Index != in.Index {
		return refuse(RuleCoin, "input %d (%v) is not as the proposal states it", n, in.OutPoint())
	}
	if by, ok := v.SpentBy(in.OutPoint()); ok && by != p.TxID {
		return refuse(RuleConflict, "input %d was spent by transaction %v", n, by)
	}
	conf := v.Confirmations(in.TxID)
	switch {
	case o.Coinbase && conf < ledger.CoinbaseMaturity:
		return refuse(RuleChainBehind, "input %d is a coinbase with %d of 100 confirmations", n, conf)
	case conf == 0 && !(o.Branch == wallet.BranchChange && ownFinal(s, v, o)):
		return refuse(RuleChainBehind, "input %d is not confirmed in this node's chain", n)
	}
	return nil
}
