package node

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// maxTakers is of how many of them is told for each invite. Identities cost
// nothing, and whoever has one invite must not keep the news of another quiet.
const maxTakers = 2

// takers are the second ones of invites that were told of.
type takers struct {
	mu   sync.Mutex
	told map[string][]journal.Author
}

// news says whether a second taker of an invite was not told of yet, and is to be.
func (t *takers) news(invite string, who journal.Author) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := t.told[invite]; len(of) >= maxTakers || slices.Contains(of, who) {
		return false
	}
	if t.told == nil {
		t.told = map[string][]journal.Author{}
	}
	t.told[invite] = append(t.told[invite], who)
	return true
}

// tellSecondTaker tells of each node that presents a used invite once, and of few
// of them for each invite. What is refused changes nothing, so this is no effect
// of a step.
func (a *Actor) tellSecondTaker(who journal.Author, x *coordinator.SecondTakerError) {
	if a.takers.news(x.Invite, who) {
		a.tellOf(a.Machine().SecondTaker(who, x))
	}
}

// Open says whether a stranger may prove an invite (see Doorman).
func (d Door) Open() bool {
	now := d.node.ports.Clock.Now()
	for _, a := range d.node.Wallets() {
		if a.Machine().OpenInvites(now) {
			return true
		}
	}
	return false
}

// Door is a node's Doorman.
type Door struct{ node *Node }

// Door returns the node's Doorman.
func (n *Node) Door() Door { return Door{n} }

// Admit checks the proof of an invite (see Doorman).
func (d Door) Admit(ctx context.Context, group journal.GroupID, joiner journal.Author, nonce, proof [32]byte, claim *event.SuccessionClaim) (port.Grant, error) {
	a, ok := d.node.Wallet(group)
	if !ok {
		return port.Grant{}, port.ErrInviteUnknown
	}
	g, err := Do(ctx, a, coordinator.Admit{Joiner: joiner, Nonce: nonce, Proof: proof, Claim: claim})
	if err != nil {
		var second *coordinator.SecondTakerError
		if errors.As(err, &second) {
			a.tellSecondTaker(joiner, second)
		}
		return port.Grant{}, err
	}
	return g, nil
}
