package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Refusal is a command refused by a rule. Rule is a stable name; where the
// rule may be overridden, Override is the name to give to do so.
type Refusal struct {
	Rule, Text, Hint string
	Overridable      bool
}

func (r *Refusal) Error() string { return r.Text }

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

func refuse(rule, format string, args ...any) *Refusal {
	return &Refusal{Rule: rule, Text: fmt.Sprintf(format, args...)}
}

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

// Names of what a restored node refuses.
const (
	// RuleRestored stands before signatures; it may be overridden.
	RuleRestored = "restored_unsynced"
	// RuleCatchingUp stands before everything else that it would write.
	RuleCatchingUp = "catching_up"
)

// Names of what is refused around a replacement.
const (
	RuleReplaced     = "replaced"
	RuleMemberOnline = "member_online"
	RuleNoRival      = "not_contested"
)

// RuleAwaitsApproval is what a device gets that takes a member's place and cannot
// prove the member's key.
const RuleAwaitsApproval = "awaits_approval"

// RuleMaybeSigned stands before a signature over a coin that the key may have
// signed another transaction over, before a restore. It may be overridden.
const RuleMaybeSigned = "maybe_signed"

// RuleRekey is what refuses a new epoch that the others would not write under.
const RuleRekey = "epoch_not_counted"

// errCatchingUp means that this node was restored and does not write before it
// has caught up with its own earlier self: it would fork its own chain.
var errCatchingUp = refuse(RuleCatchingUp, "this node was restored and has to catch up with another member before it writes").
	hint("wait until another member's node is online; `wallet show` says how far it is")

// errSuperseded means that this is an old copy of a node that was restored.
var errSuperseded = refuse(RuleSuperseded, "this node's identity was restored elsewhere and goes on there: this copy must not be used")

// errOwnChain means that this node's own chain is not where it thinks; it can
// only come from a fork of its own, and then it must not write.
var errOwnChain = refuse(RuleOwnChain, "this node's own chain is forked: restore it as a new incarnation")

// errReplaced means that another device took this node's place.
var errReplaced = refuse(RuleReplaced, "this node was replaced by another device that holds its key: this copy must not be used")

var errAwaitsApproval = refuse(RuleAwaitsApproval, "the other cosigners have to approve this device first: it proves no key").
	hint("have them compare this node's id (`status`) and run `wallet approve-replacement`, then repeat `wallet join`")

// mayNotWrite says whether an error means that this node goes on reading only.
func mayNotWrite(err error) bool {
	for _, e := range []error{errOwnChain, errSuperseded, errCatchingUp, errReplaced} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// secondTakerError is an ErrInviteUsed that a person should hear of: who has the
// invite that another node used is the one it was for, or who found it.
type secondTakerError struct {
	invite string
	first  journal.Author
}

func (e *secondTakerError) Error() string {
	return port.ErrInviteUsed.Error() + ", which is another one"
}

func (e *secondTakerError) Unwrap() error { return port.ErrInviteUsed }

// AlarmSecondTaker is what is told when a node presents an invite that another
// one used: it has the text, and one of the two is not whom it was meant for.
const AlarmSecondTaker = "invite_second_taker"
