package store

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
)

// MaxBatchBytes is the most a batch may hold in entries and records, in bytes:
// twice the 64 largest entries (16 MiB) and a snapshot of 32 MiB.
const MaxBatchBytes = 64 << 20

// MaxNotice is the most that one notice may take, in bytes.
const MaxNotice = 8 << 10

// FirstNotice is the number of the first notice of an outbox, by when that
// happened: a store that comes from a backup, where no outbox is, goes on above
// what the lost one gave, which gave less than one a millisecond.
func FirstNotice(n port.NoticeRecord) uint64 { return uint64(max(1, n.At)) }

// CheckBatch refuses what no store takes, before anything is written, with
// ErrBatch or ErrTooBig, and returns the bytes of all entries and records.
func CheckBatch(b port.Batch) (int, error) {
	total := 0
	for _, e := range b.Entries {
		if e == nil {
			return 0, fmt.Errorf("%w: no entry", ErrBatch)
		}
		if e.Header().Group != b.Group {
			return 0, fmt.Errorf("%w: entry %s is of another group", ErrBatch, e.ID())
		}
		total += len(e.Bytes())
	}
	for k, v := range b.Puts {
		if err := checkRecordKey(k); err != nil {
			return 0, err
		}
		total += len(k) + len(v)
	}
	for _, k := range b.Deletes {
		if err := checkRecordKey(k); err != nil {
			return 0, err
		}
	}
	for _, n := range b.Notices {
		if len(n.Data) > MaxNotice {
			return 0, fmt.Errorf("%w: notice of %d bytes, at most %d", ErrTooBig, len(n.Data), MaxNotice)
		}
		if n.At < 0 {
			return 0, fmt.Errorf("%w: notice of before 1970", ErrBatch)
		}
		total += len(n.Data)
	}
	if total > MaxBatchBytes {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooBig, total, MaxBatchBytes)
	}
	return total, nil
}

func checkRecordKey(k string) error {
	if k == "" || len(k) > MaxRecordKey {
		return fmt.Errorf("%w: record key of %d bytes, 1 to %d are allowed", ErrBatch, len(k), MaxRecordKey)
	}
	return nil
}
