package store

import (
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// keyLifetime is how long one data key serves: in effect for good. Rotation
// appends to the key registry in place while the store is live, and a torn
// append makes a store that cannot be opened. Initialization vectors are random
// (96 bits a log file, 128 bits a block), so one AES-256 key is good for far
// more than a node ever writes.
//
// Badger (v4.9.6) makes no first key, and then encrypts nothing, while the
// clock is less than one lifetime past 1970. Open checks that there is a key.
const keyLifetime = 20 * 365 * 24 * time.Hour

// badgerOptions are chosen for a node that writes a few entries a minute, must
// lose none, and shares a small machine. Badger's defaults would sync nothing
// and hold 64 MiB tables and a cache of 256 MiB.
func badgerOptions(dir string, key []byte, log badger.Logger) badger.Options {
	o := badger.DefaultOptions(dir).WithLogger(log)

	// Each transaction is synced before it is acknowledged.
	o.SyncWrites = true
	// Every value stays in the tree and its log, none goes to the value log:
	// Badger only logs an error of syncing the value log and acknowledges
	// nevertheless (v4.9.6, valueLog.write), and it needs garbage collection.
	// Values of 1 MiB and more would go there; none is larger than pieceSize.
	o.ValueThreshold = 1 << 20
	// So the value log stays empty, and its smallest map (twice 1 MiB) will do.
	o.ValueLogFileSize = 1 << 20

	// A transaction is limited to 15 % of the memtable: with 8 MiB it is 1.2 MiB,
	// enough for the entries of one sync batch (1 MiB).
	o.MemTableSize = 8 << 20
	// One memtable may wait while another one is written out; then Commit
	// waits. Each costs about 10 MiB, as touched.
	o.NumMemtables = 1
	// While Badger makes a table it allocates twice this, rounded up to a power
	// of two, then twice as much again where that is too little; a block takes
	// 2.13 times its size. So a table of 2 MiB (the default) takes 12 MiB, one
	// of 1.75 MiB 4 MiB, and it makes up to 13 at once.
	o.BaseTableSize = 7 << 18
	// Compact early: tables of level 0 are searched one by one.
	o.NumLevelZeroTables = 3
	o.NumLevelZeroTablesStall = 6
	// Two is the smallest number that Badger takes besides none.
	o.NumCompactors = 2
	// Only streams use these goroutines, and nothing streams.
	o.NumGoroutines = 1

	// Entries are encrypted, so nothing would shrink.
	o.Compression = options.None
	// Both caches are required with encryption: they hold decrypted blocks
	// (4 KiB each) and table indexes. The coordinator keeps its State in memory
	// and reads entries once at start and to serve pulls.
	o.BlockCacheSize = 2 << 20
	o.IndexCacheSize = 2 << 20
	// A block that was damaged is never decrypted into keys and values. (Open
	// verifies all tables itself: OnTableRead would make Badger leave out a
	// damaged table and go on.)
	o.ChecksumVerificationMode = options.OnBlockRead
	// Global expvar counters, of no use here.
	o.MetricsEnabled = false

	o.NumVersionsToKeep = 1
	// Two commits that replace the same large record must not both count the
	// old one as theirs to delete.
	o.DetectConflicts = true

	if len(key) > 0 {
		o.EncryptionKey = key
		o.EncryptionKeyRotationDuration = keyLifetime
	}
	return o
}
