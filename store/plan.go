package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

const (
	// inlineMax is the largest value inside the transaction of its batch, in
	// bytes: half of what a transaction takes (1.2 MiB).
	inlineMax = 512 << 10
	// chunkSize is how much of a value that is too large for the transaction of
	// its batch one transaction of its own takes, in bytes.
	chunkSize = 1<<20 - 64<<10
	// pieceSize is the largest value that is written as one, in bytes; a larger
	// one is written in pieces, also inside the transaction. A piece, its key,
	// the head of an entry, offset and checksum of the block and its
	// initialization vector fit into a block (4 KiB). While Badger (v4.9.6,
	// table.Builder) makes a table, a value that is larger than a block takes
	// four times its size, and it ends a table only after the blocks that are
	// still being encrypted, which may be a dozen: with values of 1 MiB it took
	// up to 124 MiB for one table, and makes a dozen at once.
	pieceSize = 4<<10 - 256
	// perKey is what Badger counts for each key besides key and value: version
	// (10) and meta (2).
	perKey = 12
	// overhead is for the counts, the end mark, and markers of blobs.
	overhead = 16 << 10
)

// value is one value of a batch: whole, or a blob in pieces, which are written
// inside the transaction of the batch or staged before it.
type value struct {
	key, plain []byte
	encoded    []byte
	blob       uint64 // 0: whole
	staged     bool
}

// pieces is how many pieces a value of so many bytes is written in.
func pieces(n int) int { return (n + pieceSize - 1) / pieceSize }

// inside is what a value takes in the transaction of its batch: keys beside its
// own, and bytes.
func (v *value) inside() (keys, size int) {
	if len(v.plain) <= pieceSize {
		return 0, inlineHead + len(v.plain)
	}
	n := pieces(len(v.plain))
	return n, refLen + len(v.plain) + n*(chunkKeyLen+perKey)
}

type entryWrite struct {
	value
	id           journal.EntryID
	index, place []byte
}

// plan is what a batch comes to, whatever is in the store.
type plan struct {
	group   journal.GroupID
	entries []*entryWrite
	records []*value
	deletes [][]byte
	guard   []port.GuardRecord
	staged  []uint64
	notices []port.NoticeRecord
	large   []*value
}

// plan decides which values go into the transaction of the batch. The largest
// become blobs until the rest fits.
func (s *Badger) plan(b port.Batch) (*plan, error) {
	p := &plan{group: b.Group, notices: b.Notices}
	var values []*value
	keys, size := 0, overhead
	for _, n := range b.Notices {
		keys++
		size += noticeKeyLen + perKey + inlineHead + 8 + len(n.Data)
	}
	for _, e := range b.Entries {
		w := &entryWrite{
			value: value{key: entryKey(b.Group, e.Chain(), e.Position()), plain: e.Bytes()},
			id:    e.ID(), index: idKey(b.Group, e.ID()), place: place(e.Chain(), e.Position().Seq),
		}
		p.entries = append(p.entries, w)
		values = append(values, &w.value)
		keys += 3 // entry, index, marker of a blob
		size += len(w.key) + len(w.index) + len(w.place) + 3*perKey + 9
	}
	for k, v := range b.Puts {
		w := &value{key: recordKey(b.Group, k), plain: v}
		p.records = append(p.records, w)
		values = append(values, w)
		keys += 3 // record, marker of its blob and of the one it replaces
		size += len(w.key) + 3*perKey + 18
	}
	for _, k := range b.Deletes {
		if _, put := b.Puts[k]; put {
			continue
		}
		key := recordKey(b.Group, k)
		p.deletes = append(p.deletes, key)
		keys += 2
		size += len(key) + 2*perKey + 9
	}
	keys += len(b.Guard)
	size += len(b.Guard) * (guardKeyLen + perKey)
	for _, v := range values {
		k, n := v.inside()
		keys, size = keys+k, size+n
	}
	limit := int(s.db.MaxBatchSize())
	slices.SortStableFunc(values, func(a, b *value) int { return cmp.Compare(len(b.plain), len(a.plain)) })
	for _, v := range values {
		if (len(v.plain) <= inlineMax && size < limit) || len(v.plain) <= refLen {
			break
		}
		k, n := v.inside()
		keys, size = keys-k, size+refLen-n
		v.blob, v.staged = s.lastBlob.Add(1), true
		p.large = append(p.large, v)
	}
	if size >= limit || keys+8 >= int(s.db.MaxBatchCount()) {
		return nil, fmt.Errorf("%w: %d keys and %d bytes in one transaction", ErrTooBig, keys, size)
	}
	for _, v := range values {
		if v.blob == 0 && len(v.plain) > pieceSize {
			v.blob = s.lastBlob.Add(1)
		}
		if v.blob == 0 {
			v.encoded = inline(v.plain)
		} else {
			v.encoded = ref{checksum(v.plain), v.blob, uint64(len(v.plain))}.encode()
		}
	}
	return p, nil
}

// stage writes the large values, each marked as not in use. It leaves nothing
// that a reader sees; what a crash leaves behind is removed at Open.
func (s *Badger) stage(ctx context.Context, p *plan) error {
	for _, v := range p.large {
		p.staged = append(p.staged, v.blob)
		if err := s.stageOne(ctx, v); err != nil {
			if !errors.Is(err, ErrBroken) {
				if derr := s.dropBlobs(p.staged); derr != nil {
					s.log.Warn("staged data not removed yet", "err", derr)
				}
			}
			return err
		}
	}
	return nil
}

func (s *Badger) stageOne(ctx context.Context, v *value) error {
	next := uint32(0)
	for part := range slices.Chunk(v.plain, chunkSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.update(func(txn *badger.Txn) (err error) {
			if next == 0 {
				if err := txn.Set(blobKey(spaceStaged, v.blob), nil); err != nil {
					return err
				}
			}
			next, err = setPieces(txn, v.blob, next, part)
			return err
		})
		if err != nil {
			return fmt.Errorf("stage large value: %w", err)
		}
	}
	return nil
}

// setPieces writes a part of a value in pieces with numbers from next on, and
// returns the number after them.
func setPieces(txn *badger.Txn, blob uint64, next uint32, part []byte) (uint32, error) {
	for piece := range slices.Chunk(part, pieceSize) {
		if err := txn.Set(chunkKey(blob, next), piece); err != nil {
			return next, err
		}
		next++
	}
	return next, nil
}

// dropMax is how many pieces one transaction removes: far fewer than the keys
// that it takes (13,000).
const dropMax = 4096

// dropBlobs removes values that are marked as not in use, the mark last: what a
// crash leaves is removed at Open.
func (s *Badger) dropBlobs(blobs []uint64) error {
	for _, blob := range blobs {
		for more := true; more; {
			err := s.update(func(txn *badger.Txn) error {
				keys := firstKeys(txn, blobKey(spaceBlob, blob), dropMax)
				for _, k := range keys {
					if err := txn.Delete(k); err != nil {
						return err
					}
				}
				if more = len(keys) == dropMax; more {
					return nil
				}
				return txn.Delete(blobKey(spaceStaged, blob))
			})
			if err != nil {
				return fmt.Errorf("remove large value: %w", err)
			}
		}
	}
	return nil
}

// dropStaged removes what an earlier process left marked, and finds the
// highest blob there is.
func (s *Badger) dropStaged() error {
	var marked []uint64
	err := s.db.View(func(txn *badger.Txn) error {
		for _, space := range []byte{spaceStaged, spaceBlob} {
			err := scan(txn, []byte{space}, func(item *badger.Item) error {
				blob, err := parseBlobKey(item.Key())
				if err != nil {
					return fmt.Errorf("read large values: %w", err)
				}
				if space == spaceStaged {
					marked = append(marked, blob)
				}
				s.lastBlob.Store(max(s.lastBlob.Load(), blob))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.dropBlobs(marked)
}
