package port

import "errors"

// Every outcome of checking what a peer sent is a named sentinel in one of two
// lists. Reject: provably wrong, whoever looks; it is counted against the peer
// who sent it. Ignore: not wrong, only of no use here and now. A disagreement
// about policy is never in the first list.

// Outcome is a named one. Its name is the label in metrics and in `peers`.
type Outcome struct {
	name, text string
	reject     bool
}

func (o *Outcome) Error() string { return o.text }

// Name is the stable label of the outcome.
func (o *Outcome) Name() string { return o.name }

// The reject list.
var (
	RejectMalformed  = &Outcome{"malformed", "malformed entry", true}
	RejectOversized  = &Outcome{"oversized", "entry over the size limit", true}
	RejectVersion    = &Outcome{"bad_version", "entry of an impossible version", true}
	RejectGroup      = &Outcome{"wrong_group", "entry of another group", true}
	RejectSignature  = &Outcome{"bad_signature", "entry signature does not verify", true}
	RejectNonMember  = &Outcome{"not_a_member", "frame of a group the peer is not in", true}
	RejectFrame      = &Outcome{"bad_frame", "malformed sync frame", true}
	RejectUnasked    = &Outcome{"unasked", "entries that were not asked for", true}
	RejectFalseClaim = &Outcome{"false_claim", "claimed entries it does not have", true}
)

// The ignore list.
var (
	IgnoreDuplicate = &Outcome{"duplicate", "entry already held", false}
	IgnoreAuthor    = &Outcome{"unknown_author", "author is not known in this group yet", false}
	IgnoreGap       = &Outcome{"gap", "an earlier entry of the chain is missing", false}
	IgnoreUnlinked  = &Outcome{"unlinked", "entry past a fork that nobody asked for", false}
	IgnoreBusy      = &Outcome{"busy", "queue full", false}
	IgnoreStale     = &Outcome{"stale", "group is closed on this node", false}
	IgnoreFailed    = &Outcome{"store_failed", "the entry could not be stored", false}
	IgnoreDeferred  = &Outcome{"deferred", "its author has used up its allowance; it is taken later", false}
)

// Outcomes lists every named outcome, for metrics and documentation.
func Outcomes() []*Outcome {
	return []*Outcome{
		RejectMalformed, RejectOversized, RejectVersion, RejectGroup, RejectSignature,
		RejectNonMember, RejectFrame, RejectUnasked, RejectFalseClaim,
		IgnoreDuplicate, IgnoreAuthor, IgnoreGap, IgnoreUnlinked, IgnoreBusy, IgnoreStale, IgnoreFailed, IgnoreDeferred,
	}
}

// IsReject says whether an error proves that its sender did wrong.
func IsReject(err error) bool {
	var r *Outcome
	return errors.As(err, &r) && r.reject
}

// OutcomeName returns the label of the named outcome in err, or "other".
func OutcomeName(err error) string {
	var r *Outcome
	if errors.As(err, &r) {
		return r.name
	}
	return "other"
}
