package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// PolicySaid is that somebody proposed a version of a policy, or voted on it.
type PolicySaid struct {
	Version event.PolicyVersion
	By      journal.Author
	Status  string // proposed, approved or objected
}

// policySaid is what an event says of a policy by way of a vote; false where nothing.
func policySaid(group journal.GroupID, by journal.Author, body event.Body) (PolicySaid, bool) {
	switch b := body.(type) {
	case *event.PolicyProposed:
		return PolicySaid{b.Version(group), by, "proposed"}, true
	case *event.PolicyApproved:
		return PolicySaid{b.Version, by, "approved"}, true
	case *event.PolicyObjected:
		return PolicySaid{b.Version, by, "objected"}, true
	}
	return PolicySaid{}, false
}
