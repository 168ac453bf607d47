package journal

import (
	"testing"

	"pgregory.net/rapid"
)

// Ids that agree in all but their end are found, like any others, in every
// version from the one that added them on.
func TestIDIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids []EntryID
		versions := []idIndex{{}}
		for i := range rapid.IntRange(1, 60).Draw(t, "ids") {
			id := EntryID{}
			id[0] = rapid.SampledFrom([]byte{0, 1, 0x10, 0xff}).Draw(t, "first")
			id[rapid.SampledFrom([]int{0, 1, 16, 31}).Draw(t, "where")] ^= rapid.Byte().Draw(t, "digit")
			last := versions[len(versions)-1]
			next := last.set(&held{id: id, seq: uint64(i)})
			if last.get(id) != nil {
				if next.n != last.n || next.get(id) != last.get(id) {
					t.Fatal("an id that is there is replaced")
				}
				continue
			}
			ids = append(ids, id)
			versions = append(versions, next)
		}
		for v, x := range versions {
			if x.n != v {
				t.Fatalf("%d entries, want %d", x.n, v)
			}
			for i, id := range ids {
				h := x.get(id)
				if (h != nil) != (i < v) || h != nil && h.id != id {
					t.Fatalf("version %d: id %d is %v", v, i, h)
				}
			}
		}
	})
}
