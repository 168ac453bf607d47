package store

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Tuning is what only tests may change.
type Tuning struct {
	NoSync    bool
	NoReserve bool
}

func OpenTuned(dir string, key []byte, log *slog.Logger, t Tuning) (*Badger, error) {
	reserve := uint64(SpaceReserve)
	if t.NoReserve {
		reserve = 0
	}
	return open(dir, key, log, reserve, func(o *badger.Options) { o.SyncWrites = !t.NoSync })
}

// Damage changes the stored bytes of a key, in a way that Badger does not see.
func (s *Badger) Damage(key []byte, how func([]byte) []byte) error {
	return s.db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return err
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		if v = how(v); v == nil {
			return txn.Delete(key)
		}
		return txn.Set(key, v)
	})
}

// Keys returns all keys that begin with a byte.
func (s *Badger) Keys(space byte) (keys [][]byte) {
	_ = s.db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{space}, func(item *badger.Item) error {
			keys = append(keys, item.KeyCopy(nil))
			return nil
		})
	})
	return keys
}

// Set writes a raw key.
func (s *Badger) Set(key, value []byte) error {
	return s.db.Update(func(txn *badger.Txn) error { return txn.Set(key, value) })
}

// Fail breaks the store as a failed sync would.
func (s *Badger) Fail(err error) { s.broke(err) }

func EntryKey(e *journal.Entry) []byte {
	return entryKey(e.Header().Group, e.Chain(), e.Position())
}
func IDKey(e *journal.Entry) []byte                { return idKey(e.Header().Group, e.ID()) }
func RecordKey(g journal.GroupID, k string) []byte { return recordKey(g, k) }
func GuardKey(r port.GuardRecord) []byte           { return guardKey(r) }
func Inline(v []byte) []byte                       { return inline(v) }
func ParseValue(v []byte) (plain []byte, err error) {
	plain, _, _, err = parseValue(v)
	return plain, err
}
func ParsePlace(v []byte) (journal.ChainKey, uint64, error) { return parsePlace(v) }
func ParseGuardKey(v []byte) (port.GuardRecord, error)      { return parseGuardKey(v) }
func Place(c journal.ChainKey, seq uint64) []byte           { return place(c, seq) }

func ParseMark(raw []byte) (uint64, error) { return parseMark(raw) }
func MarkOf(commits uint64) []byte         { return (&mark{commits: commits}).bytes() }
