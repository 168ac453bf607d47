package journal

import (
	"encoding/binary"
	"testing"
)

// fakeEntries returns n linked entries of each of some authors, round robin,
// without the cost of sealing them. Their ids are hashes of their places.
func fakeEntries(authors, n int) []*Entry {
	var out []*Entry
	prev := make([]EntryID, authors)
	for seq := range n {
		for a := range authors {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:], uint64(a))
			binary.BigEndian.PutUint64(b[8:], uint64(seq))
			e := &Entry{id: H("test", b[:]), header: Header{Incarnation: 1, Seq: uint64(seq) + 1, Prev: prev[a]}}
			e.header.Author = H("test-author", b[:8])
			prev[a] = e.id
			out = append(out, e)
		}
	}
	return out
}

func BenchmarkAdd(b *testing.B) {
	entries := fakeEntries(5, 2000)
	b.ReportAllocs()
	for b.Loop() {
		var c Chains
		for _, e := range entries {
			var err error
			if c, _, err = c.Add(e, false); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(entries)), "ns/entry")
}

func BenchmarkUnmarshalChains(b *testing.B) {
	var c Chains
	for _, e := range fakeEntries(5, 2000) {
		c, _, _ = c.Add(e, false)
	}
	raw, err := c.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := UnmarshalChains(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealOpen(b *testing.B) {
	id := NewIdentity([32]byte{1})
	ep := Epoch{Secret: [32]byte{2}}
	event := make([]byte, 900)
	e, err := Seal(id, ep, Next{1, 1, EntryID{}}, event, [24]byte{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Seal", func(b *testing.B) {
		for b.Loop() {
			if _, err := Seal(id, ep, Next{1, 1, EntryID{}}, event, [24]byte{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("DecodeVerify", func(b *testing.B) {
		for b.Loop() {
			d, err := Decode(e.Bytes())
			if err != nil {
				b.Fatal(err)
			}
			if err := d.Verify(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("DecodeStored", func(b *testing.B) {
		for b.Loop() {
			if _, err := DecodeStored(e.Bytes(), e.ID()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			if _, err := Open(ep, e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
