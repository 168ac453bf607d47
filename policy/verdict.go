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

// Reason is why, or what is waited for: a code of those below, or that of a rule for every
// cosigner (Facts.Refused, Facts.Hindered).
type Reason string

// Why a robot signs nothing, whatever a rule says.
const (
	ReasonStart       Reason = "start_quorum"  // too few others were heard since it started
	ReasonNoInitiator Reason = "no_initiator"  // its entry is tainted
	ReasonFalseKind   Reason = "false_kind"    // its entry says that it is something else
	ReasonOwnVote     Reason = "own_rejection" // the robot's operator rejected it
	ReasonFrozen      Reason = "frozen"
	ReasonLevel       Reason = "level" // it takes a way that its kind does not
	ReasonNoRule      Reason = "no_rule"
	ReasonRule        Reason = "rule"  // the rule denies, or asks
	ReasonFacts       Reason = "facts" // something that the rule asks for is not known
)

// What of a rule's Require does not hold: these never will.
const (
	ReasonAmountMin Reason = "amount_min"
	ReasonAmountMax Reason = "amount_max"
	ReasonFee       Reason = "fee_max"
	ReasonFeeRate   Reason = "fee_rate_max"
	ReasonInputs    Reason = "inputs_max"
	ReasonOutputs   Reason = "outputs_max"
	ReasonChange    Reason = "change_max"
	ReasonLockTime  Reason = "locktime"
	ReasonMeterMax  Reason = "meter_max" // more than the meter ever lets through
	ReasonRejected  Reason = "rejected"  // somebody is against it in its delay, or whoever was asked
	ReasonAnswers   Reason = "unanswered"
)

// What of it does not hold yet.
const (
	ReasonConfirmations Reason = "confirmations"
	ReasonAge           Reason = "age_min"
	ReasonApprovals     Reason = "approvals"
	ReasonHours         Reason = "hours"
	ReasonDelay         Reason = "delay"
	ReasonClock         Reason = "clock_doubt"
	ReasonMeterFull     Reason = "meter_full"
	ReasonGrants        Reason = "grants" // leave of the other robots is asked for
)

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
	// Reserve lists the meters for which leave of the other robots is to be asked; indexes,
	// ascending.
	Reserve []uint64 `cbor:"8,keyasint,omitempty"`
}
