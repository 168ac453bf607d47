package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

// Badger appends a change to its MANIFEST, syncs it, and where that fails takes
// back what it did to tables, but not what it wrote: the MANIFEST then names
// tables that are gone, and the store cannot be opened (v4.9.6). Nothing is
// lost: the log of a table that was not written is kept, and so are the tables
// that were to be merged. The store leaves a note when it breaks; Open, where it
// finds the note, drops the changes that were taken back. Without a note a
// missing table is an error: it may have held anything. (A process killed between
// Badger's taking back and its telling of it leaves none: repair by hand.)

const noteName = "table-write-failed"

// leaveNote is called before anybody learns that the store broke. Where even this
// cannot be written, the store has to be repaired by hand.
func leaveNote(dir string, cause error) error {
	f, err := os.OpenFile(filepath.Join(dir, noteName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("note failed table write: %w", err)
	}
	_, werr := f.WriteString(cause.Error() + "\n")
	if err := errors.Join(werr, f.Sync(), f.Close(), syncDir(dir)); err != nil {
		return fmt.Errorf("note failed table write: %w", err)
	}
	return nil
}

// removeNote is called when the store was opened.
func removeNote(dir string) error {
	err := os.Remove(filepath.Join(dir, noteName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove note: %w", err)
	}
	return syncDir(dir)
}

// repairManifest drops the changes that Badger took back, if there is a note.
func repairManifest(dir string) error {
	if !exists(filepath.Join(dir, noteName)) {
		return nil
	}
	path := filepath.Join(dir, badger.ManifestFilename)
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read MANIFEST: %w", err)
	}
	kept, err := withoutLostChanges(raw, func(id uint64) bool { return holdsData(table.NewFilename(id, dir)) })
	if err != nil {
		return fmt.Errorf("%w: repair MANIFEST: %w", ErrCorrupt, err)
	}
	if len(kept) == len(raw) {
		return nil
	}
	tmp := filepath.Join(dir, "MANIFEST-repaired")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write MANIFEST: %w", err)
	}
	_, werr := f.Write(kept)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write MANIFEST: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("replace MANIFEST: %w", err)
	}
	return syncDir(dir)
}

// Layout of a MANIFEST: a head (8), then changes: length (4), CRC-32C (4), and
// a ManifestChangeSet.
const (
	manifestHead = 8
	changeHead   = 8
)

// withoutLostChanges returns a MANIFEST without the changes that make a table
// which is not there, and which no later change removes. A torn change at the
// end is left out. It refuses a change that Badger cannot have taken back: one
// that made several tables from nothing (a MANIFEST written anew), or one that
// removed a table which is gone and which no change that is kept removed.
func withoutLostChanges(raw []byte, onDisk func(uint64) bool) ([]byte, error) {
	changes, sets, err := splitManifest(raw)
	if err != nil {
		return nil, err
	}
	removed := make(map[uint64]bool)
	keep := make([]bool, len(sets))
	size := manifestHead
	for i := len(sets) - 1; i >= 0; i-- {
		keep[i] = true
		for _, c := range sets[i].Changes {
			if c.Op == pb.ManifestChange_CREATE && !removed[c.Id] && !onDisk(c.Id) {
				keep[i] = false
			}
		}
		if !keep[i] {
			if err := takenBack(sets[i].Changes, onDisk, removed); err != nil {
				return nil, err
			}
			continue
		}
		size += len(changes[i])
		for _, c := range sets[i].Changes {
			if c.Op == pb.ManifestChange_DELETE {
				removed[c.Id] = true
			}
		}
	}
	out := append(make([]byte, 0, size), raw[:manifestHead]...)
	for i, c := range changes {
		if keep[i] {
			out = append(out, c...)
		}
	}
	return out, nil
}

// takenBack returns an error for changes that Badger cannot have taken back. What
// they removed is on disk, or was removed later, by a change that is kept: Badger
// tries a merge again whose sync failed, and may succeed.
func takenBack(changes []*pb.ManifestChange, onDisk func(uint64) bool, later map[uint64]bool) error {
	made, removed := 0, 0
	for _, c := range changes {
		if c.Op == pb.ManifestChange_CREATE {
			made++
			continue
		}
		removed++
		if !onDisk(c.Id) && !later[c.Id] {
			return fmt.Errorf("table %d is gone, and so is what it was merged into", c.Id)
		}
	}
	if made > 1 && removed == 0 {
		return fmt.Errorf("one of %d tables is gone", made)
	}
	return nil
}

func splitManifest(raw []byte) (changes [][]byte, sets []*pb.ManifestChangeSet, err error) {
	if len(raw) < manifestHead {
		return nil, nil, fmt.Errorf("%d bytes", len(raw))
	}
	for rest := raw[manifestHead:]; len(rest) >= changeHead; {
		end := changeHead + uint64(binary.BigEndian.Uint32(rest))
		if end > uint64(len(rest)) {
			break // torn: it was being written
		}
		body := rest[changeHead:end]
		if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(rest[4:]) {
			return nil, nil, errors.New("wrong checksum")
		}
		set := new(pb.ManifestChangeSet)
		if err := proto.Unmarshal(body, set); err != nil {
			return nil, nil, err
		}
		changes, sets = append(changes, rest[:end]), append(sets, set)
		rest = rest[end:]
	}
	return changes, sets, nil
}

// holdsData is false for a table that Badger was taking back when the process
// ended: it truncates the file, then removes it.
func holdsData(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
