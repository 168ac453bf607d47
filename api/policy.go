package api

import (
	"context"
	"time"
)

// PolicyBackend has members vote on what robots sign by themselves.
type PolicyBackend interface {
	// Policies lists what robots follow, what may come next, and what each member proposed last.
	Policies(ctx context.Context, wallet string) ([]Policy, error)
	// Policy shows a version, with its canonical form.
	Policy(ctx context.Context, wallet, version string) (Policy, error)
	// ProposePolicy puts a policy to the vote, and is for it.
	ProposePolicy(ctx context.Context, wallet string, r ProposePolicy) (Policy, error)
	// VotePolicy is this member's vote on a version.
	VotePolicy(ctx context.Context, wallet, version string, r VotePolicy) (Policy, error)
}

// ProposePolicy puts a policy to the vote.
type ProposePolicy struct {
	Canonical  string   `json:"canonical" minLength:"1" maxLength:"87384" doc:"The canonical form of the policy, in base64."`
	Follows    []string `json:"follows,omitempty" maxItems:"4" nullable:"false" doc:"The versions that it takes the place of; what robots follow now where left out."`
	Unapproved bool     `json:"unapproved,omitempty" doc:"This member is not for it yet."`
	Allow      []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// VotePolicy is a vote on a version. Which one it is is in the path.
type VotePolicy struct {
	Against bool     `json:"-"`
	Allow   []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// Policy is a version of a policy that members vote on: what it says, and what it takes the
// place of.
type Policy struct {
	Wallet    string               `json:"wallet"`
	Version   string               `json:"version" doc:"What is voted on: 64 hex characters."`
	Title     Text                 `json:"title" doc:"Null where the policy is not read."`
	Problem   Text                 `json:"problem" doc:"Why no robot of the wallet could follow it; null where one could."`
	Follows   List[string]         `json:"follows" doc:"The versions that it takes the place of; none for a first policy."`
	Proposed  List[PolicyProposal] `json:"proposed" doc:"By whom it was proposed, and when."`
	For       List[Person]         `json:"for" doc:"The cosigners who are for it, and for none else in the place of the same."`
	Against   List[Person]         `json:"against" doc:"The cosigners who are against it."`
	Needed    int                  `json:"for_needed" doc:"How many have to be for it."`
	Most      int                  `json:"against_most" doc:"How many may be against it."`
	Passed    bool                 `json:"passed" doc:"Whether it has its votes now. What robots follow already they go on following."`
	Counts    bool                 `json:"counts" doc:"Whether votes on it count: of each cosigner they do on the first 16 in the place of the same."`
	Robots    List[PolicyRobot]    `json:"followers" doc:"Its robots, and those that follow it or noted its votes."`
	Canonical *string              `json:"canonical" doc:"Its canonical form in base64; null in a list."`
}

// PolicyProposal is that somebody proposed a version.
type PolicyProposal struct {
	By   Person    `json:"by"`
	Time time.Time `json:"time" doc:"As the cosigner claims."`
}

// PolicyRobot is how far a robot is with a version.
type PolicyRobot struct {
	Robot   Person     `json:"robot"`
	Height  *int64     `json:"anchor_height" doc:"The height at which it noted that the version has its votes, from which the delay runs; null where it did not."`
	Time    *time.Time `json:"anchor_time" doc:"Likewise, by its clock."`
	Follows bool       `json:"is_followed" doc:"Whether it says that it follows the version now."`
}
