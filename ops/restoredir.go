package ops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
)

// restoringName marks a data directory in which a restore began. It is there
// before anything else and goes last: without a keystore beside it, whatever
// else is there is left from a restore that did not end.
const restoringName = "restore.tmp"

// vacant refuses a data directory that holds anything but what an interrupted
// restore left.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return notWritten(err)
	}
	marked, others := false, 0
	for _, e := range entries {
		switch name := e.Name(); {
		case name == restoringName:
			marked = true
		case name == app.KeystoreName, !ours(name):
			return api.Refuse("exists", "restore: "+dir+" is not empty", "choose another --data-dir: a restore never overwrites")
		case !strings.HasPrefix(name, restoringName):
			others++
		}
	}
	// The mark is before everything else: what is there without it is of a node.
	if others > 0 && !marked {
		return api.Refuse("exists", "restore: "+dir+" is not empty", "choose another --data-dir: a restore never overwrites")
	}
	return nil
}

// ours says whether a restore writes a file of a name: by that name or, while it
// is written, as keystore.WriteFile does.
func ours(name string) bool {
	if name == app.StoreName {
		return true
	}
	for _, base := range []string{app.KeystoreName, app.ConfigName, restoringName} {
		rest, ok := strings.CutPrefix(name, base)
		if ok && (rest == "" || rest[0] == '.' && len(rest) > len(".tmp") && strings.HasSuffix(rest, ".tmp")) {
			return true
		}
	}
	return false
}

// leave takes back what a restore writes, its mark last.
func leave(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ours(e.Name()) && e.Name() != restoringName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(dir, restoringName))
}
