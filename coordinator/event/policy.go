package event

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
)

// The kinds of how a group agrees on what its robots may sign.
const (
	KindPolicyProposed Kind = 50
	KindPolicyApproved Kind = 51
	KindPolicyObjected Kind = 52
	KindPolicyAnchored Kind = 53
	KindPolicyAdopted  Kind = 54
)

// Limits of what is said of policies.
const (
	// MaxPolicyBytes is what the canonical form of a policy takes at most.
	MaxPolicyBytes  = 64 << 10
	maxParents      = 4
	maxAnchorHeight = 1 << 31
)

func policyBody(k Kind) Body {
	switch k {
	case KindPolicyProposed:
		return &PolicyProposed{}
	case KindPolicyApproved:
		return &PolicyApproved{}
	case KindPolicyObjected:
		return &PolicyObjected{}
	case KindPolicyAnchored:
		return &PolicyAnchored{}
	case KindPolicyAdopted:
		return &PolicyAdopted{}
	}
	return nil
}

// PolicyVersion names a policy and what it follows: see PolicyProposed.Version.
type PolicyVersion [32]byte

// PolicyProposed puts a policy to the vote, in the place of those that it names.
type PolicyProposed struct {
	// Parents are the versions in force that it takes the place of, ascending: none for the
	// first policy, more than one where robots had parted.
	Parents []PolicyVersion `cbor:"2,keyasint"`
	Bytes   []byte          `cbor:"3,keyasint"` // the canonical form
}

// PolicyApproved is its author's vote for a version.
type PolicyApproved struct {
	Version PolicyVersion `cbor:"2,keyasint"`
}

// PolicyObjected is its author's vote against a version.
type PolicyObjected struct {
	Version PolicyVersion `cbor:"2,keyasint"`
}

// PolicyAnchored is a robot's word that it saw a version have its votes, from which the
// delay before it is in force runs.
type PolicyAnchored struct {
	Version PolicyVersion     `cbor:"2,keyasint"`
	Votes   []journal.EntryID `cbor:"3,keyasint"` // ascending
	Height  int64             `cbor:"4,keyasint"` // of its chain's tip
	Time    int64             `cbor:"5,keyasint"` // that it goes by, Unix seconds
}

// PolicyAdopted is a robot's word that it follows a version from here on.
type PolicyAdopted struct {
	Version PolicyVersion `cbor:"2,keyasint"`
	// Median is the median time past of its chain's tip, Unix seconds; 0 where it is not known.
	Median int64 `cbor:"3,keyasint,omitempty"`
}

// Kind returns KindPolicyProposed.
func (*PolicyProposed) Kind() Kind { return KindPolicyProposed }

// Kind returns KindPolicyApproved.
func (*PolicyApproved) Kind() Kind { return KindPolicyApproved }

// Kind returns KindPolicyObjected.
func (*PolicyObjected) Kind() Kind { return KindPolicyObjected }

// Kind returns KindPolicyAnchored.
func (*PolicyAnchored) Kind() Kind { return KindPolicyAnchored }

// Kind returns KindPolicyAdopted.
func (*PolicyAdopted) Kind() Kind { return KindPolicyAdopted }

// Version names the policy in a group, and what it follows: the same policy at another time
// is another version, so that no vote counts twice.
func (b *PolicyProposed) Version(group journal.GroupID) PolicyVersion {
	parts := [][]byte{group[:], b.Bytes}
	for _, p := range b.Parents {
		parts = append(parts, p[:])
	}
	return PolicyVersion(journal.H("policy", parts...))
}

func (b *PolicyProposed) Check() error {
	if len(b.Bytes) == 0 || len(b.Bytes) > MaxPolicyBytes {
		return badEvent("policy of %d bytes, at most %d", len(b.Bytes), MaxPolicyBytes)
	}
	if len(b.Parents) > maxParents {
		return badEvent("a policy in the place of %d", len(b.Parents))
	}
	for n, p := range b.Parents {
		if n > 0 && string(p[:]) <= string(b.Parents[n-1][:]) {
			return badEvent("what a policy follows is not ascending")
		}
	}
	return nil
}

func (b *PolicyApproved) Check() error { return nil }

func (b *PolicyObjected) Check() error { return nil }

func (b *PolicyAnchored) Check() error {
	if b.Height < 0 || b.Height >= maxAnchorHeight || b.Time < 0 || b.Time > maxUnixMillis/1000 || len(b.Votes) > MaxCosigners {
		return badEvent("anchor of %d votes at height %d", len(b.Votes), b.Height)
	}
	for n, v := range b.Votes {
		if n > 0 && string(v[:]) <= string(b.Votes[n-1][:]) {
			return badEvent("votes are not ascending")
		}
	}
	return nil
}

func (b *PolicyAdopted) Check() error {
	if b.Median < 0 || b.Median > maxUnixMillis/1000 {
		return badEvent("a policy is followed from time %d on", b.Median)
	}
	return nil
}

// String returns the first 16 hexadecimal digits.
func (v PolicyVersion) String() string { return fmt.Sprintf("%x", v[:8]) }

// The kinds of what robots say.
const (
	KindRobotVerdict   Kind = 55
	KindBudgetReserved Kind = 56
	KindBudgetGranted  Kind = 57
	KindBudgetReleased Kind = 58
)

// Limits of a verdict: its entry takes 4 KiB at most.
const (
	maxFactsBytes = 3400
	maxReasons    = 32
	maxReason     = 40
	maxRule       = 1 << 10
	maxMeters     = 32
)

func robotBody(k Kind) Body {
	switch k {
	case KindRobotVerdict:
		return &RobotVerdict{}
	case KindBudgetReserved:
		return &BudgetReserved{}
	case KindBudgetGranted:
		return &BudgetGranted{}
	case KindBudgetReleased:
		return &BudgetReleased{}
	}
	return nil
}

// RobotVerdict is what a robot does about a transaction, and why. Outcome, Rule, Reasons,
// Step and Until are as package policy has them.
type RobotVerdict struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
	TxID     chainhash.Hash  `cbor:"3,keyasint"`
	Policy   PolicyVersion   `cbor:"4,keyasint"` // zero where none was in force
	Outcome  uint64          `cbor:"5,keyasint"`
	Rule     uint64          `cbor:"6,keyasint,omitempty"`
	Reasons  []string        `cbor:"7,keyasint,omitempty"`
	Step     uint64          `cbor:"8,keyasint,omitempty"`
	Until    int64           `cbor:"9,keyasint,omitempty"` // Unix seconds
	// Fulfilled is since when all but the delay holds, Unix seconds; 0 where it does not.
	Fulfilled int64  `cbor:"10,keyasint,omitempty"`
	Now       int64  `cbor:"11,keyasint"`           // the time that it goes by, Unix seconds
	Facts     []byte `cbor:"12,keyasint,omitempty"` // the canonical form of what it rests on
	// Shadow: it signs nothing, whatever it says.
	Shadow bool `cbor:"13,keyasint,omitempty"`
}

// BudgetReserved asks the other robots for leave to sign a transaction beyond its author's
// share of some meters. What it takes each of them works out itself.
type BudgetReserved struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
	TxID     chainhash.Hash  `cbor:"3,keyasint"`
	Policy   PolicyVersion   `cbor:"4,keyasint"`
	Meters   []uint64        `cbor:"5,keyasint"` // indexes in the policy, ascending
}

// BudgetGranted gives leave by a reservation. It is never taken back.
type BudgetGranted struct {
	Reservation journal.EntryID `cbor:"2,keyasint"`
}

// BudgetReleased says that its author did not sign by its reservation, and never will.
type BudgetReleased struct {
	Reservation journal.EntryID `cbor:"2,keyasint"`
}

// Kind returns KindBudgetReserved.
func (*BudgetReserved) Kind() Kind { return KindBudgetReserved }

// Kind returns KindBudgetGranted.
func (*BudgetGranted) Kind() Kind { return KindBudgetGranted }

// Kind returns KindBudgetReleased.
func (*BudgetReleased) Kind() Kind { return KindBudgetReleased }

func (b *BudgetReserved) Check() error {
	if len(b.Meters) == 0 || len(b.Meters) > maxMeters {
		return badEvent("reservation of %d meters", len(b.Meters))
	}
	for n, m := range b.Meters {
		if m >= maxMeters || n > 0 && m <= b.Meters[n-1] {
			return badEvent("meters of a reservation are not ascending, or out of range")
		}
	}
	return nil
}

func (b *BudgetGranted) Check() error { return nil }

func (b *BudgetReleased) Check() error { return nil }

// Kind returns KindRobotVerdict.
func (*RobotVerdict) Kind() Kind { return KindRobotVerdict }

func (b *RobotVerdict) Check() error {
	switch {
	case b.Outcome < 1 || b.Outcome > 4:
		return badEvent("outcome %d of a verdict", b.Outcome)
	case b.Rule > maxRule || b.Step > maxRule:
		return badEvent("rule %d, step %d of a verdict", b.Rule, b.Step)
	case b.Until < 0 || b.Until > maxUnixMillis/1000 || b.Now < 0 || b.Now > maxUnixMillis/1000 || b.Fulfilled < 0 || b.Fulfilled > maxUnixMillis/1000:
		return badEvent("time of a verdict")
	case len(b.Facts) > maxFactsBytes || len(b.Reasons) > maxReasons:
		return badEvent("verdict with %d reasons and %d bytes of facts", len(b.Reasons), len(b.Facts))
	}
	for _, r := range b.Reasons {
		if len(r) == 0 || len(r) > maxReason || slices.ContainsFunc([]byte(r), func(c byte) bool { return c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') }) {
			return badEvent("a reason of a verdict is no code")
		}
	}
	return nil
}
