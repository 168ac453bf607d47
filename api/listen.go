package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// socketName is the socket in the data directory.
	socketName = "api.sock"
	// recordName is a file in the data directory that holds the path of the
	// socket where the socket itself could not be put there.
	recordName = "api.path"
	// maxSocketPath is what fits into sockaddr_un with its final zero byte.
	maxSocketPath = 107
)

// ListenLocal listens on the Unix socket of a data directory, mode 0600. Where
// its path is too long for a socket it is put into a private directory below
// $XDG_RUNTIME_DIR (or the temporary directory), and that path is recorded in
// the data directory. A socket left behind by a node that died is replaced; one
// that answers is an error. Closing the listener removes what it made.
//
// The caller must hold the lock of the data directory.
func ListenLocal(dataDir string) (net.Listener, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, socketName))
	if err != nil {
		return nil, fmt.Errorf("listen for the command line: %w", err)
	}
	record := filepath.Join(dataDir, recordName)
	if err := clearOld(path, record); err != nil {
		return nil, err
	}
	l := &localListener{}
	if len(path) > maxSocketPath {
		base := os.Getenv("XDG_RUNTIME_DIR")
		if base == "" {
			base = os.TempDir()
		}
		// MkdirTemp makes a new directory of mode 0700 that nobody prepared.
		dir, err := os.MkdirTemp(base, "quorate-")
		if err != nil {
			return nil, fmt.Errorf("make a directory for the socket: %w", err)
		}
		l.remove = []string{dir, record}
		path = filepath.Join(dir, socketName)
		if err := os.WriteFile(record, []byte(path+"\n"), 0o600); err != nil {
			l.clean()
			return nil, fmt.Errorf("record the path of the socket: %w", err)
		}
	}
	l.Listener, err = net.Listen("unix", path)
	if err != nil {
		l.clean()
		return nil, fmt.Errorf("listen for the command line: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the command line: %w", err), l.Close())
	}
	return l, nil
}

// localListener removes its directory and record when it is closed; the
// socket itself is removed by the net package.
type localListener struct {
	net.Listener
	remove []string
}

func (l *localListener) Close() error {
	err := l.Listener.Close()
	l.clean()
	return err
}

func (l *localListener) clean() {
	for _, p := range l.remove {
		// What cannot be removed is replaced by the next start.
		_ = os.RemoveAll(p)
	}
	l.remove = nil
}

// clearOld removes the socket and record of a node that is gone.
func clearOld(path, record string) error {
	for _, p := range []string{path, recordedPath(record)} {
		if p == "" {
			continue
		}
		if len(p) <= maxSocketPath && answers(p) {
			return Fail("data_dir_locked", "a node is already running on this data directory", "stop it, or choose another --data-dir")
		}
		if fi, err := os.Lstat(p); err == nil && fi.Mode()&fs.ModeSocket != 0 {
			if err := os.Remove(p); err != nil {
				return fmt.Errorf("remove the socket of a node that died: %w", err)
			}
			if dir := filepath.Dir(p); strings.HasPrefix(filepath.Base(dir), "quorate-") {
				// Only if it is empty; it is ours then.
				_ = os.Remove(dir)
			}
		}
	}
	if err := os.Remove(record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the old path of the socket: %w", err)
	}
	return nil
}

func answers(path string) bool {
	c, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func recordedPath(record string) string {
	b, err := os.ReadFile(record)
	if err != nil || len(b) > 4096 {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// SocketPath is where the node of a data directory listens, running or not.
func SocketPath(dataDir string) (string, error) {
	if p := recordedPath(filepath.Join(dataDir, recordName)); p != "" {
		return p, nil
	}
	return filepath.Abs(filepath.Join(dataDir, socketName))
}

// notRunning says whether a failure to connect means that nobody listens.
func notRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTSOCK)
}
