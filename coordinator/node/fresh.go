package node

import (
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

// freshness keeps when a chain backend was last seen to be synced. Whoever may have to
// know it asks every few seconds.
type freshness struct {
	mu     sync.Mutex
	synced time.Time
}

// age returns for how long the backend has not been synced; 0 where it is, and from
// the first time that is asked.
func (f *freshness) age(c port.Chain, now time.Time) time.Duration {
	fresh := c.Health().Synced
	f.mu.Lock()
	defer f.mu.Unlock()
	if fresh || f.synced.IsZero() || now.Before(f.synced) {
		f.synced = now
	}
	return now.Sub(f.synced)
}

// ChainAge returns how long ago the chain backend was last seen to be synced, 0 where
// it is.
func (n *Node) ChainAge() time.Duration { return n.ports.fresh.age(n.ports.Chain, n.ports.Clock.Now()) }

// ChainSynced says whether every active wallet's view of the chain may be relied on.
// Only then do they propose and sign.
func (n *Node) ChainSynced() bool {
	if !n.ports.Chain.Health().Synced {
		return false
	}
	age := n.ChainAge()
	for _, a := range n.Wallets() {
		var synced bool
		a.Read(func(m *coordinator.Machine) { synced = m.State.Active() == nil || m.Synced(age) })
		if !synced {
			return false
		}
	}
	return true
}
