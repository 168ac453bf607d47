package nodes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/regtest"
)

// Passphrase is that of every keystore.
const Passphrase = "correct horse battery staple"

// World is what the nodes of one test process share. Tests beside each other
// share its Bitcoin node: a block mined by one is only another block to the next.
type World struct {
	Dir      string     // for everything that is written
	Binary   string     // quorate
	Bitcoin  *btcd.Node // on regtest
	PassFile string     // holds Passphrase
	RPCFile  string     // holds the password of Bitcoin's RPC

	// Patience is how long a condition may take to come true. It is not a
	// measure: only a test that fails takes this long.
	Patience time.Duration

	temporary bool
	thread    chan func()
}

// Options are what a World is opened with.
type Options struct {
	Patience time.Duration
	// Dir is for everything that is written, and stays. Without one, it is a
	// temporary directory named after Name, which Close removes.
	Dir, Name string
	// Binary is a quorate that was built before; without one it is built.
	Binary string
	// Coins is how many coinbases of the faucet are mature; 20 without.
	Coins int
}

// Open builds the program and starts the Bitcoin node.
func Open(ctx context.Context, o Options) (_ *World, err error) {
	w := &World{Dir: o.Dir, Binary: o.Binary, Patience: o.Patience, thread: make(chan func())}
	go w.starter()
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.Dir == "" {
		// Short: the path of a Unix socket inside must fit into 107 bytes.
		if w.Dir, err = os.MkdirTemp("", o.Name+"-"); err != nil {
			return w, err
		}
		w.temporary = true
	}
	if w.Binary == "" {
		if w.Binary, err = Build(ctx, w.Dir); err != nil {
			return w, err
		}
	}
	w.PassFile, w.RPCFile = filepath.Join(w.Dir, "passphrase"), filepath.Join(w.Dir, "rpc-password")
	bitcoin := filepath.Join(w.Dir, "bitcoin")
	if err := errors.Join(
		os.WriteFile(w.PassFile, []byte(Passphrase+"\n"), 0o600),
		os.WriteFile(w.RPCFile, []byte("regtest\n"), 0o600),
		os.Mkdir(bitcoin, 0o700),
	); err != nil {
		return w, err
	}
	if w.Bitcoin, err = btcd.New(ctx, bitcoin); err != nil {
		return w, err
	}
	if _, err := w.Bitcoin.Mine(regtest.Maturity + cmp.Or(o.Coins, 20)); err != nil {
		return w, fmt.Errorf("mine the faucet's coins: %w", err)
	}
	return w, nil
}

// Close ends the Bitcoin node, and removes what is temporary.
func (w *World) Close() error {
	var err error
	if w.Bitcoin != nil {
		err = w.Bitcoin.Kill()
	}
	if w.temporary {
		err = errors.Join(err, os.RemoveAll(w.Dir))
	}
	close(w.thread)
	return err
}

// Build builds quorate into a directory, without the race detector, and returns
// the program.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "quorate")
	cmd := exec.CommandContext(ctx, "go", "build", "-race=false", "-o", binary, "github.com/quorate/quorate/cmd/node")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build quorate: %w: %s", err, out)
	}
	return binary, nil
}

// TempDir makes a directory in the World's, whose path is short. It is removed
// when the test ends: a store takes much of a disk.
func (w *World) TempDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp(w.Dir, name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove what %s left: %v", name, err)
		}
	})
	return dir
}
