// Package ops is what works on a node that is stopped, or beside one: making its
// data directory (Init), backing it up, restoring and examining it (Backup,
// Restore, Doctor), another passphrase, a relay, the demo; and what the command
// line reads where the person is, before a node is asked: files of labels, a
// signed PSBT, the file of another wallet, a USB device (HWI).
//
// What holds here:
//   - the keystore is written last: a data directory that has one is a node, and
//     what an interrupted Init or Restore leaves is none;
//   - nothing is overwritten that was there;
//   - what comes from outside (a backup, its configuration, an answer of hwi) is
//     bounded, read to its end and agreed to before anything is written;
//   - a node that runs is asked through its API: two never open one store.
//
// It holds no rule of any room: what a wallet's records must be is said by the
// coordinator, what a backup is by app/backup. What is shared with a running
// node, the names in a data directory and how it is opened, is of package app.
// Begin with init.go, backup.go and restore.go. Errors are *api.Error.
package ops
