package apitest

import (
	"context"

	"github.com/quorate/quorate/api"
)

// Policies implements api.Backend.
func (b *Backend) Policies(_ context.Context, ref string) ([]api.Policy, error) {
	p := votedOn(true)
	p.Canonical = nil
	return []api.Policy{p}, b.wallet("Policies", ref, nil)
}

// Policy implements api.Backend.
func (b *Backend) Policy(_ context.Context, ref, version string) (api.Policy, error) {
	return votedOn(true), b.wallet("Policy", ref, version)
}

// ProposePolicy implements api.Backend: another cosigner has to be for it, too.
func (b *Backend) ProposePolicy(_ context.Context, ref string, r api.ProposePolicy) (api.Policy, error) {
	return votedOn(false), b.wallet("ProposePolicy", ref, r)
}

// VotePolicy implements api.Backend.
func (b *Backend) VotePolicy(_ context.Context, ref, version string, r api.VotePolicy) (api.Policy, error) {
	p := votedOn(!r.Against)
	if r.Against {
		p.Against = []api.Person{Person("bob")}
	}
	return p, b.wallet("VotePolicy", ref, []any{version, r})
}

// votedOn is a policy that members vote on.
func votedOn(passed bool) api.Policy {
	text, height, at := "pwAB", int64(840_000), Now()
	p := api.Policy{
		Wallet: WalletID, Version: ProposalID, Title: "Operations", Proposed: []api.PolicyProposal{{By: Person("alice"), Time: Now()}},
		For: []api.Person{Person("alice")}, Needed: 2, Most: 1, Passed: passed, Counts: true, Canonical: &text,
		Robots: []api.PolicyRobot{{Robot: Person("vault")}},
	}
	if passed {
		p.For = append(p.For, Person("bob"))
		p.Robots = []api.PolicyRobot{{Robot: Person("vault"), Height: &height, Time: &at, Follows: true}}
	}
	return p
}
