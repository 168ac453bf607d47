package group

import (
	"bytes"
	"fmt"

	"github.com/quorate/quorate/journal"
)

// Digest compares what two nodes of one group hold and make of it. Those with
// the same Entries and Secrets have the same Says, in whatever order the
// entries came; a node that this program failed on some of (AlarmReader) says less.
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
	says, err := s.Snapshot()
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
	d.Says = journal.H("digest-state", says, active, s.derivedText())
	return d, nil
}

// derivedText writes down what a State derives from the entries and a snapshot
// leaves out: who the members are and were, where each ends, what stands against
// each other, and what is written under.
func (s State) derivedText() []byte {
	var b bytes.Buffer
	cur, _ := s.Epoch()
	fmt.Fprintf(&b, "epoch %x topics %q\n", cur.ID(), s.Topics())
	for c := range s.chains.Keys() {
		fmt.Fprintf(&b, "chain %x %d tainted from %d\n", c.Author, c.Incarnation, s.TaintedFrom(c))
	}
	for who := range s.newcomers.All() {
		fmt.Fprintf(&b, "newcomer %x\n", who)
	}
	if s.active == nil {
		// Members names this node, too; who was admitted is in the snapshot.
		return b.Bytes()
	}
	fmt.Fprintf(&b, "members %x\n", s.Members())
	for k, m := range s.active.Members {
		fmt.Fprintf(&b, "member %d %x %x line %x\n", k, m.Identity, m.Sealing, s.active.Identities(k))
	}
	if l := s.active.lines; l != nil {
		// Maps are printed in order of their keys.
		fmt.Fprintf(&b, "key %v sealing %x ends %v\n", l.key, l.sealing, l.ends)
		for k := range s.active.Members {
			for _, f := range l.contested[k] {
				fmt.Fprintf(&b, "contested %d %x\n", k, f.Ref.ID)
			}
		}
	}
	for _, p := range s.proposals.All() {
		if s.Alive(p) {
			fmt.Fprintf(&b, "alive %x withdrawn %v against %v\n", p.Ref.ID, s.Withdrawn(p), s.Against(p))
		}
	}
	return b.Bytes()
}
