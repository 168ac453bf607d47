package sim

import (
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Pool is what many runs share: people, whose keys are derived once, groups
// that are founded already, and which signatures were verified.
type Pool struct {
	people   []*person
	cache    *wallet.SigCache
	verified map[[96]byte]bool
	groups   map[shape]*funded
	// Reseed restarts the randomness of the process, which HPKE draws from:
	// without it a seed does not replay exactly.
	Reseed func(seed uint64)
}

// maxCosigners is how many people there are.
const maxCosigners = 5

// moreCosigners are there in large groups besides.
const moreCosigners = 2

// member is the person who holds a place in a group.
func (p *Pool) member(i int) *person {
	if i >= maxCosigners {
		i += 2
	}
	return p.people[i]
}

// NewPool returns an empty pool.
func NewPool(reseed func(uint64)) (*Pool, error) {
	p := &Pool{cache: wallet.NewSigCache(1 << 17), verified: map[[96]byte]bool{}, groups: map[shape]*funded{}, Reseed: reseed}
	for i := range maxCosigners + 2 + moreCosigners { // and one whom nobody invited, and one without a node
		x, err := newPerson(i, p.cache)
		if err != nil {
			return nil, fmt.Errorf("make cosigner %d: %w", i, err)
		}
		if i >= maxCosigners+2 {
			x.name = string(rune('A' + i - 2)) // by its place
		}
		p.people = append(p.people, x)
	}
	return p, nil
}

// shape is what a group is founded as.
type shape struct {
	k, n   int
	hosted bool
}

// funded is a wallet that is active and has coins, as each of its members has it.
type funded struct {
	id       journal.GroupID
	machines []coordinator.Machine
	disks    []*disk
	links    []port.GroupLink
	chain    *chain
}

func birthTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
