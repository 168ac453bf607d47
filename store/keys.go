package store

import (
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Layout of keys. Numbers are big-endian, so that the order of keys is the
// order of Walk and Range: each chain by seq, entries that fork a seq by id.
//
//	v                                               -> schema version (u32)
//	e group(32) author(32) incarnation(1) seq(8) id(32) -> value: the raw entry
//	i group(32) id(32)                              -> author(32) incarnation(1) seq(8)
//	n group(32)                                     -> number of entries (u64)
//	k group(32)                                     -> number of commits (u64)
//	r group(32) key                                 -> value: the record
//	g txid(32) index(4) signed txid(32)             -> nothing
//	m                                               -> number of guard records (u64)
//	b blob(8) chunk(4)                              -> a piece of a large value
//	s blob(8)                                       -> nothing: the blob is not in use
//	o number(8) alarm(1)                            -> value: Unix milliseconds(8) and the notice
//	q                                               -> the last number of a notice (u64)
//	d                                               -> the highest number of a notice that was dropped (u64)
//
// A value is 0x00, the checksum (CRC-32C) of the bytes and the bytes, or 0x01,
// their checksum, blob(8) and length(8).
// The counts are there because Badger's iterators end early, without an error,
// at a block they cannot read: a Walk that finds fewer entries than were
// committed says so.
const (
	spaceVersion    = 'v'
	spaceEntry      = 'e'
	spaceID         = 'i'
	spaceCount      = 'n'
	spaceCommits    = 'k'
	spaceRecord     = 'r'
	spaceGuard      = 'g'
	spaceGuardCount = 'm'
	spaceBlob       = 'b'
	spaceStaged     = 's'
	spaceNotice     = 'o'
	spaceNoticeLast = 'q'
	spaceDropped    = 'd'
)

// schemaVersion is raised when older code must not touch the data.
const schemaVersion = 1

// MaxRecordKey is the longest key of a record, in bytes. (Badger takes 65,000.)
const MaxRecordKey = 1024

const (
	chainKeyLen = 1 + 32 + 32 + 1
	entryKeyLen = chainKeyLen + 8 + 32
	guardKeyLen = 1 + 32 + 4 + 32
	placeLen    = 32 + 1 + 8
)

func groupKey(space byte, g journal.GroupID) []byte {
	return append([]byte{space}, g[:]...)
}

func chainKey(g journal.GroupID, c journal.ChainKey) []byte {
	k := make([]byte, 0, entryKeyLen)
	k = append(k, spaceEntry)
	k = append(k, g[:]...)
	k = append(k, c.Author[:]...)
	return append(k, c.Incarnation)
}

func seqKey(g journal.GroupID, c journal.ChainKey, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(chainKey(g, c), seq)
}

func entryKey(g journal.GroupID, c journal.ChainKey, p journal.Position) []byte {
	return append(seqKey(g, c, p.Seq), p.ID[:]...)
}

// entryKeyID returns the id at the end of an entry's key.
func entryKeyID(key []byte) (id journal.EntryID, err error) {
	if len(key) != entryKeyLen {
		return id, fmt.Errorf("%w: entry key of %d bytes", ErrCorrupt, len(key))
	}
	copy(id[:], key[entryKeyLen-32:])
	return id, nil
}

func idKey(g journal.GroupID, id journal.EntryID) []byte {
	return append(groupKey(spaceID, g), id[:]...)
}

// place is where the entry of an id is: the value of the id index.
func place(c journal.ChainKey, seq uint64) []byte {
	v := make([]byte, 0, placeLen)
	v = append(v, c.Author[:]...)
	v = append(v, c.Incarnation)
	return binary.BigEndian.AppendUint64(v, seq)
}

func parsePlace(v []byte) (c journal.ChainKey, seq uint64, err error) {
	if len(v) != placeLen {
		return c, 0, fmt.Errorf("%w: id index value of %d bytes", ErrCorrupt, len(v))
	}
	copy(c.Author[:], v)
	c.Incarnation = v[32]
	return c, binary.BigEndian.Uint64(v[33:]), nil
}

func recordKey(g journal.GroupID, key string) []byte {
	return append(groupKey(spaceRecord, g), key...)
}

func guardKey(r port.GuardRecord) []byte {
	k := make([]byte, 0, guardKeyLen)
	k = append(k, spaceGuard)
	k = append(k, r.OutPoint.Hash[:]...)
	k = binary.BigEndian.AppendUint32(k, r.OutPoint.Index)
	return append(k, r.TxID[:]...)
}

func parseGuardKey(k []byte) (r port.GuardRecord, err error) {
	if len(k) != guardKeyLen {
		return r, fmt.Errorf("%w: guard key of %d bytes", ErrCorrupt, len(k))
	}
	r.OutPoint = wire.OutPoint{Hash: chainhash.Hash(k[1:33]), Index: binary.BigEndian.Uint32(k[33:37])}
	r.TxID = chainhash.Hash(k[37:])
	return r, nil
}

// noticeKeyLen is the length of the key of a notice.
const noticeKeyLen = 1 + 8 + 1

func noticeKey(number uint64, alarm bool) []byte {
	k := make([]byte, 0, noticeKeyLen)
	k = binary.BigEndian.AppendUint64(append(k, spaceNotice), number)
	if alarm {
		return append(k, 1)
	}
	return append(k, 0)
}

func parseNoticeKey(k []byte) (number uint64, alarm bool, err error) {
	if len(k) != noticeKeyLen || k[9] > 1 {
		return 0, false, fmt.Errorf("%w: notice key %x", ErrCorrupt, k)
	}
	return binary.BigEndian.Uint64(k[1:9]), k[9] == 1, nil
}

func blobKey(space byte, blob uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{space}, blob)
}

// chunkKeyLen is the length of the key of a piece.
const chunkKeyLen = 1 + 8 + 4

func chunkKey(blob uint64, chunk uint32) []byte {
	return binary.BigEndian.AppendUint32(blobKey(spaceBlob, blob), chunk)
}

func parseBlobKey(k []byte) (uint64, error) {
	if len(k) < 9 {
		return 0, fmt.Errorf("%w: blob key of %d bytes", ErrCorrupt, len(k))
	}
	return binary.BigEndian.Uint64(k[1:9]), nil
}

func count(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func parseCount(v []byte) (uint64, error) {
	if len(v) != 8 {
		return 0, fmt.Errorf("%w: count of %d bytes", ErrCorrupt, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}
