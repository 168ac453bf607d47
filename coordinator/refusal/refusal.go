package refusal

import (
	"errors"
	"fmt"
)

// Refusal is a command refused by a rule. Rule is its code, one of Codes; Text says
// why, Hint what to do. Where it is Overridable, the command may be repeated with the
// code among what is allowed.
type Refusal struct {
	Rule, Text, Hint string
	Overridable      bool
}

// New returns a refusal by a rule.
func New(rule, format string, args ...any) *Refusal {
	return &Refusal{Rule: rule, Text: fmt.Sprintf(format, args...)}
}

// Error returns the text.
func (r *Refusal) Error() string { return r.Text }

// WithHint says what to do about it.
func (r *Refusal) WithHint(format string, args ...any) *Refusal {
	r.Hint = fmt.Sprintf(format, args...)
	return r
}

// MayOverride says that the command may be repeated with the rule allowed by name.
func (r *Refusal) MayOverride() *Refusal {
	r.Overridable = true
	if r.Hint == "" {
		r.Hint = "if it is meant, repeat with --allow " + r.Rule
	}
	return r
}

// Errors that are no refusal.
var (
	// ErrUnknownProposal is returned for an id that names no proposal.
	ErrUnknownProposal = errors.New("no such proposal")
	// ErrUnknownSchedule is returned for an id that names no schedule.
	ErrUnknownSchedule = errors.New("no such schedule")
	// ErrUnknownPolicy is returned for a version that nobody proposed.
	ErrUnknownPolicy = errors.New("no such policy")
	// ErrBadPolicy is returned for a policy that no robot of the wallet could follow.
	ErrBadPolicy = errors.New("it is no policy for this wallet")
	// ErrBadRequest is returned for a command that makes no sense.
	ErrBadRequest = errors.New("bad request")
)
