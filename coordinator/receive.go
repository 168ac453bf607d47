package coordinator

import (
	"context"

	"github.com/quorate/quorate/journal"
)

// Receive takes an entry from a peer (see Inbox). It returns nil once the entry
// is durable here.
func (a *Actor) Receive(ctx context.Context, _ journal.Author, e *journal.Entry) error {
	m := a.Machine()
	if m.State.chains.Has(e.ID()) {
		return nil // the machine shown is durable
	}
	if err := a.admit(m, e); err != nil {
		return err
	}
	v, err := a.Do(ctx, EntryIn{e})
	if _, stored := v.(Stored); stored && err == nil {
		a.quota.charge(e.Header().Author, len(e.Bytes()), a.ports.Clock.Now())
	}
	return err
}

// Claim returns this node's frontier and the forks it knows (see Inbox).
func (a *Actor) Claim() Claim {
	c := a.Machine().State.chains
	return Claim{Frontier: c.Frontier(), Forks: c.Forks()}
}

// PeerClaim records what a member says it holds (see Inbox).
func (a *Actor) PeerClaim(from journal.Author, c Claim) {
	select {
	case a.inbox <- envelope{msg: ClaimIn{from, c}}:
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
