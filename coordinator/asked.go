package coordinator

import (
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
)

// stage is when a rule of a proposal stands.
type stage uint8

const (
	// proposing: before the proposal is written.
	proposing stage = 1 << iota
	// approving: before this node's key signs a proposal that is held, lets it out to
	// be signed, or takes in what was signed. Who is about to approve is shown what
	// would be refused.
	approving
	// signing: before any signature of this node's key, also with its own proposal.
	signing
)

// asked is what the rules are asked of.
type asked struct {
	p     *group.Proposal
	now   time.Time
	allow []string // codes that the user overrides
	stage stage
	// chainAge is how long ago the chain backend was last seen to be synced.
	chainAge time.Duration
	// policy is what its mempool takes.
	policy port.Policy
	// robot: this node asks by itself, as a robot.
	robot bool
}
