package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Ref places a fact: the entry that states it, and when its author claims to
// have written it (Unix milliseconds).
type Ref struct {
	ID    journal.EntryID  `cbor:"1,keyasint"`
	Chain journal.ChainKey `cbor:"2,keyasint"`
	Seq   uint64           `cbor:"3,keyasint"`
	Time  int64            `cbor:"4,keyasint"`
}

// lowest keeps, of several entries that state one fact, that with the lowest
// id: the order in which they came must not show.
func lowest[V any](m pmap.Map[string, V], k string, v V, ref func(V) Ref) pmap.Map[string, V] {
	if old, ok := m.Get(k); ok {
		a, b := ref(old).ID, ref(v).ID
		if string(a[:]) <= string(b[:]) {
			return m
		}
	}
	return m.Set(k, v)
}

// lowerSeq returns the lower of two seqs, where 0 is none.
func lowerSeq(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// placeOf orders what one author wrote.
func placeOf(r Ref) string {
	return string([]byte{r.Chain.Incarnation}) + mapkey.Number(r.Seq) + mapkey.Of(r.ID)
}

// retaint says that other entries of a chain are tainted than before: those
// from From on, where it were those from Before on. Zero is none.
type retaint struct {
	Chain        journal.ChainKey
	From, Before uint64
}

// Reweighed is a chain whose entries are tainted, or not any more, from a seq on.
type Reweighed struct {
	Chain journal.ChainKey
	From  uint64
}

// before says whether an entry of a chain comes before another one of it.
func before(a, b Ref) bool {
	if a.Seq != b.Seq {
		return a.Seq < b.Seq
	}
	return string(a.ID[:]) < string(b.ID[:]) // two sides of a fork
}

func Later(a, b Ref) bool {
	if a.Chain.Incarnation != b.Chain.Incarnation {
		return a.Chain.Incarnation > b.Chain.Incarnation
	}
	return a.Seq > b.Seq
}
