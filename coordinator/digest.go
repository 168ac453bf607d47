package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/journal"
)

// Digest compares what two nodes of one group hold and make of it. Those with
// the same Entries and Secrets have the same Says, in whatever order the
// entries came.
type Digest struct {
	Entries [32]byte // which entries are held, and the pinned roster
	Secrets [32]byte // which epochs can be read
	Says    [32]byte // everything that is derived from them
}

// Digest returns the digests of a State. It costs as much as a snapshot.
func (s State) Digest() (Digest, error) {
	var d Digest
	chains, err := s.chains.MarshalBinary()
	if err != nil {
		return d, fmt.Errorf("encode chains: %w", err)
	}
	says, err := s.snapshot()
	if err != nil {
		return d, err
	}
	var epochs []byte
	for id := range s.epochs.All() {
		epochs = append(epochs, id...)
	}
	active := []byte{0}
	if s.active != nil {
		active[0] = 1
	}
	d.Entries = journal.H("digest-entries", chains, s.pinned[:])
	d.Secrets = journal.H("digest-secrets", epochs)
	d.Says = journal.H("digest-state", says, active)
	return d, nil
}
