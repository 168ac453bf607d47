package storetest

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Plant damages the store in a directory, behind its back: change gets every
// key and value, and returns what to put in the value's place, nil to delete
// the key. It says how many were changed.
func Plant(dir string, key []byte, change func(key, value []byte) (fresh []byte, hit bool)) (int, error) {
	o := badger.DefaultOptions(dir).WithLogger(nil).WithIndexCacheSize(16 << 20)
	if len(key) > 0 {
		o = o.WithEncryptionKey(key)
	}
	db, err := badger.Open(o)
	if err != nil {
		return 0, fmt.Errorf("open store to damage it: %w", err)
	}
	n := 0
	err = db.Update(func(txn *badger.Txn) error {
		fresh := map[string][]byte{}
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		for it.Rewind(); it.Valid(); it.Next() {
			k := it.Item().KeyCopy(nil)
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				it.Close()
				return err
			}
			if f, hit := change(k, v); hit {
				fresh[string(k)] = f
			}
		}
		it.Close()
		for k, v := range fresh {
			n++
			var err error
			if v == nil {
				err = txn.Delete([]byte(k))
			} else {
				err = txn.Set([]byte(k), v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return n, err
}
