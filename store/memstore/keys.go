package memstore

import (
	"encoding/binary"

	"github.com/quorate/quorate/journal"
)

// What a key begins with. Numbers are big-endian, so that the order of keys is
// the order of Walk and Range.
//
//	e group author incarnation seq id -> the raw entry
//	i group id                        -> the key of the entry
//	r group key                       -> the record
//	o number alarm                    -> Unix milliseconds and the notice
const (
	spaceEntry  = "e"
	spaceID     = "i"
	spaceRecord = "r"
	spaceNotice = "o"
)

func groupKey(g journal.GroupID) string { return spaceEntry + string(g[:]) }

func chainKey(g journal.GroupID, c journal.ChainKey) string {
	return groupKey(g) + string(c.Author[:]) + string([]byte{c.Incarnation})
}

func seqKey(g journal.GroupID, c journal.ChainKey, seq uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(chainKey(g, c)), seq))
}

func entryKey(g journal.GroupID, e *journal.Entry) string {
	id := e.ID()
	return seqKey(g, e.Chain(), e.Position().Seq) + string(id[:])
}

// idOf is the id at the end of an entry's key.
func idOf(key string) journal.EntryID {
	var id journal.EntryID
	copy(id[:], key[len(key)-len(id):])
	return id
}

func idKey(g journal.GroupID, id journal.EntryID) string {
	return spaceID + string(g[:]) + string(id[:])
}

func recordKey(g journal.GroupID, key string) string {
	return spaceRecord + string(g[:]) + key
}
