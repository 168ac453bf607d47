package ops

import (
	"errors"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
)

func restoreError(dir string, err error) error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	// First: a disk that cannot be read is no damaged backup.
	if e := app.SystemError("restore", dir, err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, backup.ErrPassphrase):
		return api.Fail("wrong_passphrase", "restore: the backup was not opened: wrong passphrase", "try again")
	case errors.Is(err, backup.ErrNeedsIdentity):
		return api.Misuse("needs_identity", "restore: the backup is sealed to age recipients", "give the identity of one with --identity FILE")
	case errors.Is(err, backup.ErrIdentity):
		return api.Fail("wrong_identity", "restore: "+err.Error(), "give another --identity FILE, or none for a passphrase")
	case errors.Is(err, backup.ErrNewer):
		return api.Fail("backup_newer", "restore: "+err.Error(), "use that version")
	case errors.Is(err, backup.ErrTruncated):
		return api.Fail("backup_truncated", "restore: "+backup.ErrTruncated.Error()+", or its end is damaged: it was not written to its end, or not copied whole", "take another copy, or an earlier backup")
	case errors.Is(err, backup.ErrNotBackup):
		return api.Misuse("not_a_backup", "restore: it is not a backup file", "give a file that `quorate backup` wrote")
	case errors.Is(err, backup.ErrWork):
		return api.Refuse("backup_work", "restore: "+err.Error(), "it was not written by this program")
	case errors.Is(err, backup.ErrCorrupt):
		return api.Fail("backup_corrupt", "restore: "+err.Error(), "take another copy, or an earlier backup")
	}
	return api.Fail("not_restored", "restore: "+err.Error(), "")
}
