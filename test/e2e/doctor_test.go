package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/test/nodes"
)

// `quorate doctor` of real nodes: one that runs, one that was killed, one that
// was stopped, none of which it changes; and copies of them with damaged files.
func TestDoctor(t *testing.T) {
	n := newNode(t, "a").Start()
	g := world.Group(t, n)
	g.ID = ask[api.WalletInvites](n, "wallet", "create", walletName, "--threshold", "1", "--cosigners", "1").Wallet
	world.Eventually(t, "the words are there", func() bool { return n.Wallet().Words != nil })
	ask[api.Ratified](n, "wallet", "ratify", walletName, "--words", *n.Wallet().Words)
	for range 10 {
		if _, err := n.Client.NewAddress(context.Background(), walletName, api.NewAddress{}); err != nil {
			t.Fatal(err)
		}
	}
	doctor := func(dir string, flags ...string) answer {
		at := world.At(t, nodes.Config{Name: n.Name, Dir: dir})
		return at.Run(append([]string{"doctor", "--passphrase-file", world.PassFile}, flags...)...)
	}
	healthy := func(what, dir string) {
		t.Helper()
		a := doctor(dir)
		if found := read[ops.Diagnosis](t, a); len(found.Items) != 0 || a.Err != "" {
			t.Errorf("%s: %+v %s", what, found.Items, a.Err)
		}
	}
	healthy("a running node", n.Dir)
	n.Kill()
	killed, stopped := copyNode(t, n.Dir), n.Dir
	healthy("a killed node", copyNode(t, killed))
	n.Start().Stop()
	healthy("a stopped node", stopped)

	in := func(pattern string, how func([]byte) []byte) func(string) error {
		return func(dir string) error { return rewrite(filepath.Join(dir, pattern), how) }
	}
	mode := func(name string, m os.FileMode) func(string) error {
		return func(dir string) error { return os.Chmod(filepath.Join(dir, name), m) }
	}
	flip := func(b []byte) []byte { b[len(bytes.TrimRight(b, "\x00"))/2] ^= 1; return b }
	cut := func(b []byte) []byte { return b[:len(bytes.TrimRight(b, "\x00"))*2/3] }
	gone := func([]byte) []byte { return nil }
	for name, x := range map[string]struct {
		from  string
		plant func(dir string) error
		want  string
		mends bool
	}{
		"a byte of a table":        {stopped, in("db/*.sst", flip), "store_corrupt", false},
		"a table is cut":           {stopped, in("db/*.sst", cut), "store_corrupt", false},
		"a table is missing":       {stopped, in("db/*.sst", gone), "store_corrupt", false},
		"a byte of the log":        {killed, in("db/*.mem", flip), "store_corrupt", false},
		"the log is cut":           {killed, in("db/*.mem", cut), "store_corrupt", false},
		"the log is missing":       {killed, in("db/*.mem", gone), "store_corrupt", false},
		"the list of tables":       {stopped, in("db/MANIFEST", cut), "store_corrupt", false},
		"the store is missing":     {stopped, func(dir string) error { return os.RemoveAll(filepath.Join(dir, "db")) }, "store_missing", false},
		"a byte of the keystore":   {stopped, in("keystore", flip), "keystore_corrupt", false},
		"the keystore is missing":  {stopped, in("keystore", gone), "keystore_missing", false},
		"mode of the keystore":     {stopped, mode("keystore", 0o644), "keystore_permissions", true},
		"mode of the directory":    {stopped, mode(".", 0o755), "data_dir_permissions", true},
		"mode of the store":        {stopped, mode("db", 0o755), "store_permissions", true},
		"a half-written file":      {stopped, func(dir string) error { return os.WriteFile(filepath.Join(dir, "config.toml.X.tmp"), nil, 0o600) }, "leftover", true},
		"a byte of the settings":   {stopped, in("config.toml", func([]byte) []byte { return []byte("netwurk = 1\n") }), "config_bad", false},
		"the settings are missing": {stopped, in("config.toml", gone), "config_missing", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyNode(t, x.from)
			if err := x.plant(dir); err != nil {
				t.Fatal(err)
			}
			before := kept(t, dir)
			answered := doctor(dir, "--mend")
			if x.mends {
				items := read[ops.Diagnosis](t, answered).Items
				if len(items) != 1 || items[0].Code != x.want || !items[0].Mended {
					t.Errorf("with --mend: %+v", items)
				}
				healthy("mended", dir)
				return
			}
			found := ailing(t, answered)
			if !slices.ContainsFunc(found, func(a ops.Ailment) bool { return a.Code == x.want && a.Where != "" && a.Do != "" && !a.Mended }) {
				t.Errorf("%s was not found: %+v", x.want, found)
			}
			if after := kept(t, dir); x.from == stopped && after != before {
				t.Errorf("it was changed:\n%s\n%s", before, after)
			}
			if x.from == killed {
				at := world.At(t, nodes.Config{Name: n.Name, Dir: dir})
				refused(t, at.Run("start", "--passphrase-file", world.PassFile), 1, "store_corrupt")
			}
		})
	}
	open := copyNode(t, stopped)
	if err := os.Chmod(filepath.Join(open, "keystore"), 0o644); err != nil {
		t.Fatal(err)
	}
	if found := ailing(t, doctor(open)); found[0].Mended || !strings.Contains(found[0].Do, "--mend") {
		t.Errorf("without --mend: %+v", found)
	}
	if a := doctor(stopped + "-none"); a.Status != 1 && a.Status != 3 {
		t.Errorf("no node: exit status %d, %s", a.Status, a.Err)
	}
	plain := n.Finish(n.Command("doctor", "--passphrase-file", world.PassFile), "")
	if plain.Status != 0 || !strings.HasPrefix(string(plain.Out), "nothing is wrong in what was looked at\n") {
		t.Errorf("the stopped node was changed: %s %s", plain.Out, plain.Err)
	}
}

// ailing reads an answer that says what is wrong.
func ailing(t *testing.T, a answer) []ops.Ailment {
	t.Helper()
	if a.Status != 1 || strings.Count(a.Err, "\n") != 1 {
		t.Errorf("exit status %d: %q", a.Status, a.Err)
	}
	a.Status = 0
	return read[ops.Diagnosis](t, a).Items
}

// copyNode copies a data directory, with the modes that a node makes.
func copyNode(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "n")
	err := filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case e.IsDir():
			return os.Mkdir(at, 0o700)
		case !e.Type().IsRegular():
			return nil // the socket of a killed node
		}
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(at, b, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// rewrite changes the first file of a pattern; what is nil is removed.
func rewrite(pattern string, how func([]byte) []byte) error {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return errors.Join(err, errors.New("no file: "+pattern))
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	if b = how(b); b == nil {
		return os.Remove(found[0])
	}
	return os.WriteFile(found[0], b, 0o600)
}

// kept are the names and modes of what a data directory holds, and the
// tables, keystore and configuration; a log is made a table when it is opened.
func kept(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + " " + fi.Mode().String() + "\n")
	}
	tables, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(tables, filepath.Join(dir, "keystore"), filepath.Join(dir, "config.toml")) {
		raw, err := os.ReadFile(name)
		if err == nil {
			fmt.Fprintf(&b, "%s %x\n", filepath.Base(name), sha256.Sum256(raw))
		}
	}
	return b.String()
}
