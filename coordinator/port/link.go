package port

import (
	"time"

	"github.com/quorate/quorate/journal"
)

// GroupLink is what a transport needs to know of a group, and all of it.
type GroupLink struct {
	Group journal.GroupID
	// Topics are the topic names to listen on; entries are published on the first.
	Topics []string
	// Members are all identities that may connect, this node's own included.
	Members []journal.Author
	// Hints are addresses (multiaddr text) to try for a member, from invites.
	Hints map[journal.Author][]string
}

// Claim is what a member says it holds: the last linked entry of each chain,
// and for forked chains two entries that prove it.
type Claim struct {
	Frontier journal.Frontier
	Forks    []journal.Fork
}

// PeerStatus is what a transport knows of one peer.
type PeerStatus struct {
	Peer      journal.Author
	PeerID    string
	Addresses []string
	Connected bool
	Relayed   bool
	// Here: a connection comes from an address of this machine itself. A relay, a tunnel or a
	// network of containers hides that.
	Here bool
	// Pending marks a stranger who tried to connect and was refused.
	Pending  bool
	LastSeen time.Time
	// Rejects counts entries and frames refused, by reason.
	Rejects map[string]uint64
}
