package ops

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const (
	// logSize is how large the log of a node in the background becomes, in bytes.
	logSize = 10 << 20
	// logsKept is how many such logs are kept beside the one that is written.
	logsKept = 3
)

// LogWriter returns what a node logs to that writes on standard error. Where that is the
// quorate.log of its data directory, as it is for a node in the background, it is put
// aside as quorate.log.1 before it becomes larger than 10 MiB, and three such are kept.
// Standard error itself goes on in the new one: what a panic says is in it too.
func LogWriter(stderr io.Writer, dataDir string) io.Writer {
	f, ok := stderr.(*os.File)
	if !ok || !canTurn {
		return stderr
	}
	path, err := filepath.Abs(filepath.Join(dataDir, logName))
	if err != nil {
		return stderr
	}
	l := &logFile{file: f, path: path, most: logSize, kept: logsKept}
	if _, named, err := l.look(); err != nil || !named {
		return stderr
	}
	return l
}

// logFile is a log that is open, under a file number that stays, and has a name. It may
// be used concurrently, also by several processes on one name.
type logFile struct {
	file *os.File
	path string
	most int64
	kept int

	mu    sync.Mutex
	tired int64 // the size at which it is tried again to put it aside, after a failure
}

// Write implements io.Writer. A log that cannot be put aside is written all the same.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size, named, err := l.look()
	switch {
	case err != nil:
	case !named: // somebody else put it aside
		_ = l.anew()
	case size == 0 || size+int64(len(p)) <= l.most || size < l.tired:
	default:
		l.tired = 0
		if l.turn() != nil {
			l.tired = size + l.most/10
		}
	}
	return l.file.Write(p)
}

// look returns the size of the open log, and whether it is the one that has the name.
func (l *logFile) look() (size int64, named bool, err error) {
	open, err := l.file.Stat()
	if err != nil {
		return 0, false, err
	}
	there, err := os.Lstat(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, false, err
	}
	return open.Size(), err == nil && os.SameFile(open, there), nil
}

// turn puts the log aside and begins another one.
func (l *logFile) turn() error {
	unlock, err := lockLog(l.file)
	if err != nil {
		return err // another process is at it
	}
	defer unlock()
	if _, named, err := l.look(); err != nil || !named {
		return errors.Join(err, l.anew())
	}
	for n := l.kept; n > 0; n-- {
		if err := os.Rename(l.old(n-1), l.old(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := l.anew(); err != nil {
		return errors.Join(err, os.Rename(l.old(1), l.path))
	}
	return nil
}

func (l *logFile) old(n int) string {
	if n == 0 {
		return l.path
	}
	return fmt.Sprintf("%s.%d", l.path, n)
}

// anew opens the log of the name, which it makes if it is not there, under the file
// number that the log has.
func (l *logFile) anew() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|noFollow, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(duplicate(f, l.file), f.Close())
}
