package api_test

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

func TestListenMode(t *testing.T) {
	dir := t.TempDir()
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := api.SocketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(p) != dir {
		t.Errorf("socket is %s, not in the data directory", p)
	}
	fi, err := os.Stat(p)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %v", fi.Mode())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// Where the path is too long the socket is elsewhere, private, and found.
func TestListenLongPath(t *testing.T) {
	run := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over what a node left that died
		l, err := api.ListenLocal(dir)
		if err != nil {
			t.Fatal(err)
		}
		p, err := api.SocketPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p, run) {
			t.Errorf("socket is %s, not in the runtime directory", p)
		}
		if fi, err := os.Stat(filepath.Dir(p)); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("directory of the socket: %v %v", fi.Mode(), err)
		}
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("socket: %v %v", fi.Mode(), err)
		}
		c, err := net.Dial("unix", p)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		record := filepath.Join(dir, "api.path")
		kept, err := os.ReadFile(record)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(run); len(entries) != 0 {
			t.Errorf("left behind: %v", entries)
		}
		// As after kill -9: the record names a socket that nobody serves.
		if err := os.WriteFile(record, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A socket whose node died is replaced; one that answers is not.
func TestListenTwice(t *testing.T) {
	dir := t.TempDir()
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "api.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if second, err := api.ListenLocal(dir); err == nil {
		_ = second.Close()
		t.Fatal("two nodes on one data directory")
	} else if _, code := kind(t, err); code != "data_dir_locked" {
		t.Errorf("code %s", code)
	}
	if fi, err := os.Stat(filepath.Join(dir, "api.sock")); err != nil || fi.Mode()&fs.ModeSocket == 0 {
		t.Errorf("the socket of the first is gone: %v", err)
	}
}

// A file of ours that is no socket is not removed.
func TestListenKeepsFiles(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "api.sock")
	if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := api.ListenLocal(dir); err == nil {
		_ = l.Close()
		t.Fatal("listening over a file")
	}
	if b, err := os.ReadFile(p); err != nil || string(b) != "x" {
		t.Errorf("the file is gone: %v", err)
	}
}
