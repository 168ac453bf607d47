// Package record is how a node writes down what it keeps for itself: its local
// records, snapshots of State and what it saw of the chain.
//
// A record is CBOR in RFC 8949 core deterministic encoding, as an event is, but
// it is read with wider bounds: nobody else wrote it, and it may be larger than
// any event. What a record says is the business of whoever keeps it.
package record

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/journal/pmap"
)

// encoder is immutable: its options are constants, which a test builds anew.
var encoder = func() cbor.EncMode {
	enc, _ := cbor.CoreDetEncOptions().EncMode()
	return enc
}()

// Encode returns the bytes of a record.
func Encode(v any) ([]byte, error) { return encoder.Marshal(v) }

// Decode reads what this node itself stored: larger than any event, but
// as strict otherwise.
func Decode(b []byte, v any) error {
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  16,
		MaxArrayElements: 1 << 26,
		MaxMapPairs:      1 << 26,
	}.DecMode()
	if err != nil {
		return fmt.Errorf("cbor decoder: %w", err)
	}
	return dec.Unmarshal(b, v)
}

// Pair is one line of a map, as a record holds it.
type Pair[V any] struct {
	_ struct{} `cbor:",toarray"`
	K []byte
	V V
}

// Dump lists the lines of a map, by key.
func Dump[K ~string, V any](m pmap.Map[K, V]) []Pair[V] {
	out := make([]Pair[V], 0, m.Len())
	for k, v := range m.All() {
		out = append(out, Pair[V]{K: []byte(k), V: v})
	}
	return out
}

// Undump puts the map of lines in any order in the place of m.
func Undump[K ~string, V any](m *pmap.Map[K, V], ps []Pair[V]) {
	*m = pmap.Collect(func(yield func(K, V) bool) {
		for _, p := range ps {
			if !yield(K(p.K), p.V) {
				return
			}
		}
	})
}
