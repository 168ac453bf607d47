// Package store keeps what must survive a crash: entries, local records and
// the sign guard. Badger is the implementation for a node, store/memstore its
// twin for tests and simulations; both pass the suite in store/storetest.
//
// # What Commit promises
//
// When Commit returns nil, the whole batch survives kill -9 and a power cut:
// Badger's log has been synced (msync with MS_SYNC on a memory-mapped file),
// and so has the directory when the log file was new. When it returns an error
// other than ErrBroken, none of the batch is there.
//
// # When the disk fails or is full
//
// Badger writes through memory maps of sparse files. On a full disk such a
// write is not an error but a SIGBUS that ends the process. So the store looks
// at the free space before every Commit and refuses with port.ErrNoSpace while
// SpaceReserve is not free, with nothing written; and it holds a ballast file
// that makes room for an orderly Close. If another program takes the whole
// reserve between that look and the write, the process dies, and nothing that
// was acknowledged is lost.
//
// After a failed sync nobody knows what is on disk (the kernel may have dropped
// the dirty pages). The store then fails closed: every call returns ErrBroken,
// the outcome of the batch in hand is open (all of it or none), and only a new
// process that opens the store again knows it.
//
// # What is not promised
//
// Badger's encryption (AES-256-CTR) hides, it does not authenticate: who can
// write to the disk can change or roll back records. Entries are checked by
// their id. Checksums of all tables are verified at Open. A damaged log file is cut
// at the first damaged transaction, as after a crash; where that took something
// that was acknowledged, Open refuses, by a count kept beside the database. The file
// system must be a journaling one that keeps the order of creating and deleting
// files (ext4, xfs, btrfs, apfs).
package store
