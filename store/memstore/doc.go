// Package memstore is a store without a disk, for tests and simulations: the
// twin of store.Badger behind port.Store.
//
// It takes and refuses the same batches with the same errors, keeps the same
// sign guard (store.CheckBatch and store.GuardBook are Badger's own), and gives
// back the same in the same order; the suite in store/storetest holds it to
// that. What it lacks is all that a disk brings: nothing is synced, there is no
// key, no schema version, no checksum, and no room that may end. So it never
// returns store.ErrBroken, port.ErrNoSpace, ErrLocked or ErrKey.
//
// Everything is in one sorted tree that is copied on write: a reader takes the
// copy of a moment, so that a Walk sees the store as it was when it began, and
// may call the store meanwhile. Reopen plays a crash: it gives what a process
// finds that starts after the one before ended.
//
// Begin with New, and with Commit in store.Badger, which says what a batch is.
package memstore
