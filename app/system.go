package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
)

// SystemError says what the operating system refused of a data directory, in words
// that name it and what helps. what is what was not done. It returns nil for any other
// error: none of these says that what is stored is wrong.
func SystemError(what, dir string, err error) *api.Error {
	if errors.Is(err, port.ErrNoSpace) {
		return api.Fail("disk_full", what+": "+cause(err, port.ErrNoSpace).Error(), "free some space on the disk of "+dir+" and try again")
	}
	e := api.System(what, err)
	if e != nil && e.Code == "permission_denied" {
		e.Hint = OwnerHint(dir)
	}
	return e
}

// cause is the innermost error that still is target.
func cause(err, target error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil || inner == target || !errors.Is(inner, target) {
			return err
		}
		err = inner
	}
}

// OwnerHint says how a data directory comes to be usable by who asked.
func OwnerHint(dir string) string {
	me := os.Geteuid()
	if fi, err := os.Stat(dir); err == nil {
		if uid, ok := uidOf(fi); ok && uid != me {
			return asOwner(dir, uid)
		}
	}
	for _, p := range []string{dir, filepath.Join(dir, StoreName)} {
		entries, err := os.ReadDir(p)
		if err != nil {
			continue
		}
		for _, e := range entries {
			fi, err := e.Info()
			if err != nil {
				continue
			}
			if uid, ok := uidOf(fi); ok && uid != me {
				return fmt.Sprintf("%s belongs to %s: a command was once run as that user; `sudo chown -R %s %s` gives the files back", filepath.Join(p, e.Name()), userName(uid), userName(me), dir)
			}
		}
	}
	return "`chmod -R u+rwX " + dir + "` lets its owner in"
}

func asOwner(dir string, uid int) string {
	name := userName(uid)
	return dir + " belongs to " + name + ": run it as that user, `sudo -u " + name + " quorate …`"
}

// OwnDir refuses to work as root in a data directory of another user: the files that
// are written would be root's, and the node could not be started any more. A directory
// that is not there is nobody's.
func OwnDir(dir string) error { return ownDir(dir, os.Geteuid()) }

func ownDir(dir string, me int) error {
	fi, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		if e := SystemError("the data directory was not looked at", dir, err); e != nil {
			return e
		}
		return nil // what is done with it says what is wrong
	}
	if uid, ok := uidOf(fi); ok && me == 0 && uid != 0 {
		return api.Refuse("other_owner", "nothing was done: as root this would leave files that the owner of the data directory cannot open", asOwner(dir, uid))
	}
	return nil
}
