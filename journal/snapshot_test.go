package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// forkedChains is a linked chain and one with a fork at seq 3.
func forkedChains(t testing.TB) Chains {
	t.Helper()
	forkedKey := ChainKey{Author{2}, 64}
	ours := run(forkedKey, 1, EntryID{}, 4, "")
	entries := append(run(chainA, 1, EntryID{}, 2, ""), ours...)
	entries = append(entries, at(forkedKey, 3, EntryID{1}, "x"))
	var c Chains
	for _, e := range entries {
		var err error
		if c, _, err = c.Add(e, false); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func snapshotOf(t testing.TB, c Chains) []byte {
	t.Helper()
	b, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSnapshotGoesOn(t *testing.T) {
	var c Chains
	entries := run(chainA, 1, EntryID{}, 200, "")
	for _, e := range entries[:100] {
		c, _, _ = c.Add(e, false)
	}
	back, err := UnmarshalChains(snapshotOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	back = mustAdd(t, back, Duplicate, false, entries[:100]...)
	back = mustAdd(t, back, Appended, false, entries[100:]...)
	mustAdd(t, back, Forked, false, at(chainA, 50, EntryID{1}, "x"))

	empty, err := UnmarshalChains(snapshotOf(t, Chains{}))
	if err != nil || empty.Len() != 0 || len(empty.Frontier()) != 0 {
		t.Errorf("empty: %v", err)
	}
}

func TestUnmarshalChainsRefuses(t *testing.T) {
	good := snapshotOf(t, forkedChains(t))
	if _, err := UnmarshalChains(good); err != nil {
		t.Fatal(err)
	}
	// Offsets in the snapshot of forkedChains.
	const (
		first       = 4 + 8            // the first chain: author, incarnation, 2 linked
		firstLinked = first + 33       // their number
		second      = first + 113      // the second chain: 2 linked, 3 loose
		secondLoose = second + 41 + 64 // their number
		loose       = secondLoose + 8
	)
	u64 := func(off int, n uint64) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint64(b[off:], n)
		return b
	}
	swapped := func(i, j, n int) []byte {
		b := bytes.Clone(good)
		copy(b[i:i+n], good[j:j+n])
		copy(b[j:j+n], good[i:i+n])
		return b
	}
	copied := func(dst, src, n int) []byte {
		b := bytes.Clone(good)
		copy(b[dst:dst+n], good[src:src+n])
		return b
	}
	oneLoose := append(u64(secondLoose, 1)[:loose], good[loose:loose+40]...)
	if binary.BigEndian.Uint64(good[secondLoose:]) != 3 || len(good) != loose+3*40 {
		t.Fatal("the snapshot is not laid out as this test thinks")
	}
	noChain := append(append([]byte(snapshotMagic), 0, 0, 0, 0, 0, 0, 0, 1), make([]byte, 32)...)
	noChain = append(append(noChain, 1), make([]byte, 16)...)
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"another magic":        changed(good, 0, 'Q'),
		"a byte over":          append(bytes.Clone(good), 0),
		"a byte short":         good[:len(good)-1],
		"cut in a chain":       good[:second+20],
		"fewer chains":         u64(4, 1),
		"more chains":          u64(4, 3),
		"2^63 chains":          u64(4, 1<<63),
		"2^64-1 linked":        u64(firstLinked, 1<<64-1),
		"2^60 loose":           u64(secondLoose, 1<<60),
		"incarnation 0":        changed(good, first+32, 0),
		"incarnation 65":       changed(good, first+32, 65),
		"chains out of order":  changed(good, first, 3),
		"one chain twice":      copied(second, first, 33),
		"one id twice":         copied(first+41, first+41+32, 32),
		"one id in two chains": copied(second+41, first+41, 32),
		"loose out of order":   swapped(loose, loose+40, 40),
		"loose twice":          copied(loose+40, loose, 40),
		"fork of one":          oneLoose,
		"fork of two seqs":     u64(loose+40, 4),
		"fork past a gap":      u64(loose, 4),
		"fork below the end":   u64(loose, 2),
		"seq 2^63":             u64(loose+80, 1<<63),
		"chain of nothing":     noChain,
	} {
		if _, err := UnmarshalChains(b); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What unmarshals is the one snapshot of its chains.
func FuzzUnmarshalChains(f *testing.F) {
	f.Add(snapshotOf(f, Chains{}))
	f.Add(snapshotOf(f, forkedChains(f)))
	f.Add([]byte(snapshotMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := UnmarshalChains(b)
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := c.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x comes back as %x, %v", b, again, err)
		}
		for key := range c.Frontier() {
			_ = c.Next(key)
		}
		for _, fork := range c.Forks() {
			if bytes.Compare(fork.A[:], fork.B[:]) >= 0 || c.ForkedAt(fork.Chain) != fork.Seq {
				t.Fatalf("fork %v", fork)
			}
		}
	})
}
