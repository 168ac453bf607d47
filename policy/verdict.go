package policy

// Outcome is what a robot does about a transaction.
type Outcome uint8

// The outcomes.
const (
	OutcomeSign Outcome = 1
	OutcomeWait Outcome = 2
	OutcomeAsk  Outcome = 3
	OutcomeDeny Outcome = 4
)

// Reason is why, or what is waited for: a code.
type Reason string

// Verdict is what Decide says.
type Verdict struct {
	Outcome Outcome `cbor:"1,keyasint"`
	// Rule is the rule that decided, counted from 1; 0 where none did.
	Rule    uint64   `cbor:"2,keyasint,omitempty"`
	Reasons []Reason `cbor:"3,keyasint,omitempty"` // in the order of the language
	// Step is which step is asked, counted from 1, and Until its end, Unix seconds.
	Step  uint64 `cbor:"4,keyasint,omitempty"`
	Until int64  `cbor:"5,keyasint,omitempty"`
	// Next is the next moment at which a wait may change by itself, Unix seconds; 0 where only
	// somebody's doing changes it.
	Next int64 `cbor:"6,keyasint,omitempty"`
	// Fulfilled: all but the delay holds.
	Fulfilled bool `cbor:"7,keyasint,omitempty"`
	// Reserve lists the meters for which leave of the other robots is asked; indexes, ascending.
	Reserve []uint64 `cbor:"8,keyasint,omitempty"`
}
