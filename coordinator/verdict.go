package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/journal"
)

// Every outcome of checking what a peer sent is a named sentinel in one of two
// lists. Reject: provably wrong, whoever looks; it is counted against the peer
// who sent it. Ignore: not wrong, only of no use here and now. A disagreement
// about policy is never in the first list.

// Rule is a named outcome. Its name is the label in metrics and in `peers`.
type Rule struct {
	name, text string
	reject     bool
}

func (r *Rule) Error() string { return r.text }

// Name is the stable label of the rule.
func (r *Rule) Name() string { return r.name }

// The reject list.
var (
	RejectMalformed  = &Rule{"malformed", "malformed entry", true}
	RejectOversized  = &Rule{"oversized", "entry over the size limit", true}
	RejectVersion    = &Rule{"bad_version", "entry of an impossible version", true}
	RejectGroup      = &Rule{"wrong_group", "entry of another group", true}
	RejectSignature  = &Rule{"bad_signature", "entry signature does not verify", true}
	RejectNonMember  = &Rule{"not_a_member", "frame of a group the peer is not in", true}
	RejectFrame      = &Rule{"bad_frame", "malformed sync frame", true}
	RejectUnasked    = &Rule{"unasked", "entries that were not asked for", true}
	RejectFalseClaim = &Rule{"false_claim", "claimed entries it does not have", true}
)

// The ignore list.
var (
	IgnoreDuplicate = &Rule{"duplicate", "entry already held", false}
	IgnoreAuthor    = &Rule{"unknown_author", "author is not known in this group yet", false}
	IgnoreGap       = &Rule{"gap", "an earlier entry of the chain is missing", false}
	IgnoreUnlinked  = &Rule{"unlinked", "entry past a fork that nobody asked for", false}
	IgnoreBusy      = &Rule{"busy", "queue full", false}
	IgnoreStale     = &Rule{"stale", "group is closed on this node", false}
	IgnoreFailed    = &Rule{"store_failed", "the entry could not be stored", false}
	IgnoreDeferred  = &Rule{"deferred", "its author has used up its allowance; it is taken later", false}
)

// AllRules lists every named outcome, for metrics and documentation.
func AllRules() []*Rule {
	return []*Rule{
		RejectMalformed, RejectOversized, RejectVersion, RejectGroup, RejectSignature,
		RejectNonMember, RejectFrame, RejectUnasked, RejectFalseClaim,
		IgnoreDuplicate, IgnoreAuthor, IgnoreGap, IgnoreUnlinked, IgnoreBusy, IgnoreStale, IgnoreFailed, IgnoreDeferred,
	}
}

// IsReject says whether an error proves that its sender did wrong.
func IsReject(err error) bool {
	var r *Rule
	return errors.As(err, &r) && r.reject
}

// RuleName returns the label of the named outcome in err, or "other".
func RuleName(err error) string {
	var r *Rule
	if errors.As(err, &r) {
		return r.name
	}
	return "other"
}

// GapError says that an entry was not taken because an earlier one is missing:
// pull Chain from seq From on, or the entry Need where it is not zero.
type GapError struct {
	Chain journal.ChainKey
	From  uint64
	Need  journal.EntryID
}

func (g *GapError) Error() string {
	return fmt.Sprintf("entry before seq %d is missing", g.From)
}

// Unwrap makes a GapError an IgnoreGap.
func (g *GapError) Unwrap() error { return IgnoreGap }

// Errors of the ports.
var (
	// ErrNotFound is returned when a store or a source does not hold what was asked for.
	ErrNotFound = errors.New("not found")
	// ErrGuardConflict is returned by Store.Commit when this node already
	// signed another transaction for an outpoint that the caller did not know of.
	ErrGuardConflict = errors.New("sign guard: another transaction was signed for this coin")
	// ErrUnsupported is returned by a backend that cannot do what was asked.
	ErrUnsupported = errors.New("not supported by this backend")
	// ErrNoEstimate is returned when no fee estimate is known.
	ErrNoEstimate = errors.New("fee rate unknown")
	// ErrTxRejected is returned when a chain backend refuses a transaction.
	ErrTxRejected = errors.New("transaction refused by the Bitcoin node")
	// ErrNotSynced is returned by a backend that does not know the chain so far yet.
	ErrNotSynced = errors.New("the chain is not synced so far yet")
	// ErrNotSeen is returned when a transaction was handed over and no node has
	// shown it back yet.
	ErrNotSeen = errors.New("the transaction was not seen in the network yet")
	// Outcomes of presenting an invite.
	ErrInviteUnknown = errors.New("invite is not known here")
	ErrInviteUsed    = errors.New("invite was used by another node")
	ErrInviteExpired = errors.New("invite has expired")
	ErrInviteProof   = errors.New("proof of the invite is wrong")
)
