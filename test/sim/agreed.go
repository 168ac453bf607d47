package sim

import "github.com/quorate/quorate/coordinator/group"

// agreedTo is what a node's user agreed to beforehand: bumps of a proposal, up to a fee.
type agreedTo struct {
	p   *group.Proposal
	fee int64
}
