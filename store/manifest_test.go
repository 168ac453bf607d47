package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4/pb"
	"google.golang.org/protobuf/proto"
)

// change encodes a change of a MANIFEST: positive ids are made, negative ones removed.
func change(t testing.TB, ids ...int) []byte {
	set := new(pb.ManifestChangeSet)
	for _, id := range ids {
		c := &pb.ManifestChange{Id: uint64(max(id, -id)), Op: pb.ManifestChange_CREATE}
		if id < 0 {
			c.Op = pb.ManifestChange_DELETE
		}
		set.Changes = append(set.Changes, c)
	}
	body, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = binary.BigEndian.AppendUint32(out, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(out, body...)
}

func TestWithoutLostChanges(t *testing.T) {
	head := []byte("Bdgr\x00\x00\x00\x08")
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{head}, parts...), nil) }
	one, two, three, merge := change(t, 1), change(t, 2), change(t, 3), change(t, 4, -1, -2)
	again := change(t, 5, -1, -2)
	for name, c := range map[string]struct {
		raw, want []byte
		onDisk    []uint64
	}{
		"all there":             {join(one, two), join(one, two), []uint64{1, 2}},
		"nothing":               {join(), join(), nil},
		"write taken back":      {join(one, two), join(one), []uint64{1}},
		"and tried again":       {join(one, two, three), join(one, three), []uint64{1, 3}},
		"merged":                {join(one, two, merge), join(one, two, merge), []uint64{4}},
		"merge taken back":      {join(one, two, merge), join(one, two), []uint64{1, 2}},
		"and merged again":      {join(one, two, merge, again), join(one, two, again), []uint64{5}},
		"and in part":           {join(one, two, merge, change(t, 5, -1)), join(one, two, change(t, 5, -1)), []uint64{2, 5}},
		"and that merged":       {join(one, two, merge, again, change(t, 6, -5)), join(one, two, again, change(t, 6, -5)), []uint64{6}},
		"both taken back":       {join(one, two, merge, again), join(one, two), []uint64{1, 2}},
		"a write, then a merge": {join(one, three, two, merge), join(one, two, merge), []uint64{4}},
		"torn at the end":       {join(one, two[:len(two)-1]), join(one), []uint64{1}},
		"torn in the head":      {join(one, two[:3]), join(one), []uint64{1}},
	} {
		got, err := withoutLostChanges(c.raw, func(id uint64) bool {
			for _, d := range c.onDisk {
				if d == id {
					return true
				}
			}
			return false
		})
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: got %x, %v, want %x", name, got, err, c.want)
		}
	}
	damaged := join(one, two)
	damaged[len(head)+changeHead] ^= 1
	for _, raw := range [][]byte{damaged, head[:7]} {
		if _, err := withoutLostChanges(raw, func(uint64) bool { return true }); err == nil {
			t.Errorf("%x was taken", raw)
		}
	}
	// A missing table that no failed write explains.
	for name, raw := range map[string][]byte{
		"written anew":      join(change(t, 1, 2, 3), change(t, 5)),
		"merged from it":    join(one, two, merge),
		"merged twice":      join(one, two, merge, change(t, 5, -1)),
		"merged, then lost": join(one, two, three, change(t, 4, -1, -3)),
	} {
		onlyOne := func(id uint64) bool { return id == 1 || id == 5 }
		if _, err := withoutLostChanges(raw, onlyOne); err == nil {
			t.Errorf("%s: a table that is gone was dropped", name)
		}
	}
}

// Only a note allows a repair, and a repair only takes what was lost.
func TestRepairNeedsNote(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "MANIFEST")
	raw := append([]byte("Bdgr\x00\x00\x00\x08"), change(t, 1)...)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() []byte {
		if err := repairManifest(dir); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(); !bytes.Equal(got, raw) {
		t.Errorf("repaired without a note: %x", got)
	}
	if err := leaveNote(dir, errors.New("cause")); err != nil {
		t.Fatal(err)
	}
	if got := read(); !bytes.Equal(got, raw[:manifestHead]) {
		t.Errorf("not repaired: %x", got)
	}
	// A table being taken back is empty before it is gone.
	table := filepath.Join(dir, "000001.sst")
	for content, want := range map[string][]byte{"": raw[:manifestHead], "x": raw} {
		for name, b := range map[string][]byte{path: raw, table: []byte(content)} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(); !bytes.Equal(got, want) {
			t.Errorf("with a table of %q: %x", content, got)
		}
	}
	if err := removeNote(dir); err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(dir, noteName)) {
		t.Error("the note is still there")
	}
}

// A MANIFEST of any bytes gives an error or one that reads the same again.
func FuzzManifest(f *testing.F) {
	head := []byte("Bdgr\x00\x00\x00\x08")
	f.Add(head)
	f.Add(append(append(head[:8:8], change(f, 1, 2)...), change(f, -1, 3)...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		odd := func(id uint64) bool { return id%2 == 1 }
		kept, err := withoutLostChanges(raw, odd)
		if err != nil {
			return
		}
		again, err := withoutLostChanges(kept, odd)
		if err != nil || !bytes.HasPrefix(kept, again) {
			t.Errorf("repaired again: %x, %v, after %x", again, err, kept)
		}
	})
}
