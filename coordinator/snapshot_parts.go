package coordinator

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
)

// A snapshot is stored in parts, each in a batch of its own, beside the parts of
// the one before: a State may be larger than a batch of the store takes. The
// record recSnapshot, which names the parts that count, is written with the last
// one: until then the snapshot before counts.
const (
	recSnapshotPart = recSnapshot + "/" // generation / number of the part
	// snapshotPart is the size of a part in bytes: a batch takes 64 MiB.
	snapshotPart = 16 << 20
)

// snapshotIndex is what recSnapshot holds.
type snapshotIndex struct {
	Version    int      `cbor:"1,keyasint"`
	Generation int      `cbor:"2,keyasint"` // 0 or 1, in turns
	Parts      int      `cbor:"3,keyasint"`
	Hash       [32]byte `cbor:"4,keyasint"` // SHA-256 of all parts in a row
}

func partName(generation, n int) string {
	return fmt.Sprintf("%s%d/%06d", recSnapshotPart, generation, n)
}

// snapshotsOf finds the place of the next snapshot among the records.
func snapshotsOf(recs map[string][]byte) Snapshots {
	var p Snapshots
	var x snapshotIndex
	if record.Decode(recs[recSnapshot], &x) == nil && x.Generation == 0 {
		p.next = 1
	}
	for name := range recs {
		generation, number, _ := strings.Cut(strings.TrimPrefix(name, recSnapshotPart), "/")
		n, err := strconv.Atoi(number)
		if g, gerr := strconv.Atoi(generation); err == nil && gerr == nil && strings.HasPrefix(name, recSnapshotPart) && g >= 0 && g < len(p.parts) {
			p.parts[g] = max(p.parts[g], n+1)
		}
	}
	return p
}

// joinSnapshot puts the parts of the stored snapshot together. It returns
// group.ErrSnapshot where some are missing or damaged.
func joinSnapshot(recs map[string][]byte) ([]byte, error) {
	var x snapshotIndex
	if err := record.Decode(recs[recSnapshot], &x); err != nil {
		return nil, fmt.Errorf("%w: %w", group.ErrSnapshot, err)
	}
	if x.Version != group.SnapshotVersion || x.Parts < 0 || x.Parts > len(recs) {
		return nil, group.ErrSnapshot
	}
	var parts [][]byte
	for n := range x.Parts {
		parts = append(parts, recs[partName(x.Generation, n)])
	}
	b := slices.Concat(parts...)
	if sha256.Sum256(b) != x.Hash {
		return nil, group.ErrSnapshot
	}
	return b, nil
}

// batches are what stores a snapshot, to be committed in this order, and where
// the next one goes once they are.
func (p Snapshots) batches(m Machine, size int) ([]port.Batch, Snapshots, error) {
	b, err := m.State.Snapshot()
	if err != nil {
		return nil, p, err
	}
	x := snapshotIndex{Version: group.SnapshotVersion, Generation: p.next, Hash: sha256.Sum256(b)}
	var out []port.Batch
	for part := range slices.Chunk(b, size) {
		out = append(out, port.Batch{Group: m.State.Group(), Puts: map[string][]byte{partName(p.next, x.Parts): part}})
		x.Parts++
	}
	index, err := record.Encode(x)
	if err != nil {
		return nil, p, fmt.Errorf("encode snapshot: %w", err)
	}
	last := &out[len(out)-1]
	last.Puts[recSnapshot] = index
	old := 1 - p.next
	for n := range p.parts[old] {
		last.Deletes = append(last.Deletes, partName(old, n))
	}
	for n := x.Parts; n < p.parts[p.next]; n++ {
		last.Deletes = append(last.Deletes, partName(p.next, n))
	}
	next := Snapshots{next: old}
	next.parts[p.next] = x.Parts
	return out, next, nil
}

// Snapshots returns what the machine found stored when it was loaded. Whoever
// stores a snapshot keeps what Batches returned for the next one.
func (m *Machine) Snapshots() Snapshots { return m.snaps }

// Batches are what stores a snapshot of an active wallet, to be committed in this
// order, and where the next one goes once they are.
func (p Snapshots) Batches(m Machine) ([]port.Batch, Snapshots, error) {
	return p.batches(m, snapshotPart)
}

// Failed is where the next snapshot goes after one of so many batches that were
// not all committed: what was written of it is overwritten, or taken away.
func (p Snapshots) Failed(batches int) Snapshots {
	p.parts[p.next] = max(p.parts[p.next], batches)
	return p
}
