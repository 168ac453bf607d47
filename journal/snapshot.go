package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSnapshot is returned for bytes that are not a snapshot of Chains.
var ErrSnapshot = errors.New("not a snapshot of chains")

// A snapshot of Chains, all numbers big-endian:
//
//	"qch1" | number of chains (u64) | chains, ascending
//	chain = author (32) | incarnation (u8)
//	      | number of linked entries (u64) | their ids (32 each), from seq 1
//	      | number of loose entries (u64)  | (seq (u64), id (32)) each, ascending
//
// It is a local record, which can be rebuilt from the entries. Equal Chains
// have equal snapshots.
const (
	snapshotMagic = "qch1"
	idSize        = 32
	looseSize     = 8 + idSize
	minChainSize  = 32 + 1 + 8 + idSize + 8 // a chain with one linked entry
)

// MarshalBinary returns a snapshot. The error is always nil.
func (c Chains) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, len(snapshotMagic)+8+c.chains.Len()*minChainSize+c.ids.n*looseSize)
	b = append(b, snapshotMagic...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.chains.Len()))
	for key, ch := range c.chains.All() {
		b = append(b, key...)
		b = binary.BigEndian.AppendUint64(b, ch.linked.n)
		for seq := range ch.linked.n {
			id := ch.linked.at(seq + 1)
			b = append(b, id[:]...)
		}
		b = binary.BigEndian.AppendUint64(b, uint64(ch.loose.Len()))
		for k := range ch.loose.All() {
			b = append(b, k...)
		}
	}
	return b, nil
}

// UnmarshalChains reads a snapshot made by MarshalBinary. What only the entries
// could tell, that the linked ones follow each other, is not checked. It returns
// ErrSnapshot.
func UnmarshalChains(b []byte) (Chains, error) {
	r := snapshotReader{b: b}
	if !bytes.Equal(r.take(len(snapshotMagic)), []byte(snapshotMagic)) {
		return Chains{}, fmt.Errorf("%w: it does not begin as one", ErrSnapshot)
	}
	var c Chains
	last := ""
	for range r.count(minChainSize) {
		ch := r.chain(&c.ids)
		if r.bad || ch.mapKey <= last {
			return Chains{}, fmt.Errorf("%w: chain %d", ErrSnapshot, c.chains.Len())
		}
		last = ch.mapKey
		c.chains = c.chains.Set(ch.mapKey, ch)
	}
	if r.bad || len(r.b) != 0 {
		return Chains{}, fmt.Errorf("%w: %d bytes over", ErrSnapshot, len(r.b))
	}
	return c, nil
}

// snapshotReader reads from the front of b; bad is set by what cannot be.
type snapshotReader struct {
	b   []byte
	bad bool
}

// chain reads one chain and adds its entries to ids.
func (r *snapshotReader) chain(ids *idIndex) *chain {
	mapKey := r.take(33)
	if r.bad {
		return nil
	}
	key := &ChainKey{Author: Author(mapKey[:32]), Incarnation: mapKey[32]}
	ch := &chain{key: key, mapKey: string(mapKey)}
	r.bad = r.bad || key.Incarnation < 1 || key.Incarnation > MaxIncarnation

	for range r.count(idSize) {
		ch.linked = ch.linked.append(EntryID(r.take(idSize)))
		ch.tail = ch.linked.last()
		r.held(ids, key, ch.tail)
	}
	last := ""
	n := r.count(looseSize)
	for i := range n {
		k := string(r.take(looseSize))
		at := loosePosition(k)
		switch {
		case i == 0:
			ch.fork = at.Seq
			r.bad = r.bad || at.Seq != ch.tail.Seq+1
		case i == 1:
			r.bad = r.bad || at.Seq != ch.fork
		}
		r.bad = r.bad || k <= last || at.Seq > MaxSeq
		last = k
		r.held(ids, key, at)
		ch.loose = ch.loose.Set(k, struct{}{})
	}
	// A fork is two entries, and a chain without an entry is none.
	r.bad = r.bad || n == 1 || ch.linked.n == 0 && n == 0
	return ch
}

// held adds an entry to ids, where it must not be yet.
func (r *snapshotReader) held(ids *idIndex, key *ChainKey, at Position) {
	n := ids.n
	*ids = ids.set(&held{at.ID, key, at.Seq})
	r.bad = r.bad || ids.n == n
}

// take returns the next n bytes, or n zeros and sets bad.
func (r *snapshotReader) take(n int) []byte {
	if len(r.b) < n {
		r.bad, r.b = true, nil
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// count reads a number of things of which each takes at least size bytes.
func (r *snapshotReader) count(size int) int {
	n := binary.BigEndian.Uint64(r.take(8))
	if r.bad || n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}
