package node

import (
	"context"
	"errors"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Receive takes an entry from a peer (see Inbox). It returns nil once the entry
// is durable here.
func (a *Actor) Receive(ctx context.Context, from journal.Author, e *journal.Entry) error {
	return a.ReceiveRun(ctx, from, []*journal.Entry{e})[0]
}

// ReceiveRun takes entries from a peer in their order (see Inbox). Those that
// wait for their turn at once share a commit.
func (a *Actor) ReceiveRun(ctx context.Context, _ journal.Author, es []*journal.Entry) []error {
	m := a.Machine()
	errs := make([]error, len(es))
	sent := make([]*envelope, len(es))
	for i, e := range es {
		if m.State.Chains().Has(e.ID()) {
			continue // the machine shown is durable
		}
		if errs[i] = a.admit(m, e); errs[i] == nil {
			sent[i], errs[i] = a.send(ctx, coordinator.EntryIn{Entry: e})
		}
	}
	for i, e := range es {
		if sent[i] == nil {
			continue
		}
		var v any
		v, errs[i] = a.await(ctx, sent[i])
		if x, ok := v.(coordinator.Stored); ok && x.New && errs[i] == nil {
			a.quota.Stored(a.Machine(), e, a.ports.Clock.Now())
		}
	}
	return errs
}

// Claim returns this node's frontier and the forks it knows (see Inbox).
func (a *Actor) Claim() port.Claim {
	return a.Machine().State.ClaimHeld(maxClaimed)
}

// maxClaimed is how many chains a claim holds on the wire: 64 authors with 64
// incarnations each.
const maxClaimed = 64 * int(journal.MaxIncarnation)

// PeerClaim records what a member says it holds (see Inbox).
func (a *Actor) PeerClaim(from journal.Author, c port.Claim) {
	select {
	case a.inbox <- envelope{msg: coordinator.ClaimIn{From: from, Claim: c}}:
	default: // only a claim: the next one comes within a minute
	}
}

// Entries serves a pull of one chain (see Inbox).
func (a *Actor) Entries(ctx context.Context, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error) {
	return a.ports.Store.Range(ctx, a.group, chain, seq, limit, maxBytes)
}

// Entry serves a pull by id (see Inbox).
func (a *Actor) Entry(ctx context.Context, id journal.EntryID) (*journal.Entry, error) {
	return a.ports.Store.Entry(ctx, a.group, id)
}

// Wanted lists what this node would pull by id (see Inbox).
func (a *Actor) Wanted() []journal.EntryID { return a.Machine().Wanted() }

// admit says whether an entry may be stored now.
func (a *Actor) admit(m *coordinator.Machine, e *journal.Entry) error {
	err := a.quota.Admits(m, e, a.ports.Clock.Now())
	var later *port.DeferredError
	if errors.As(err, &later) && later.Begins {
		a.ports.Log.Warn("a member writes beyond its allowance; its entries are taken later", "wallet", a.group.String()[:8], "author", later.Author)
	}
	return err
}
