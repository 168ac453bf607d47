package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/regtest"
)

// world is what all tests share: the program, and a Bitcoin node. The tests
// run one after the other, so a block mined by one is only ever another block
// to the next.
var world struct {
	binary   string
	dir      string
	bitcoin  *btcd.Node
	passFile string
	rpcFile  string
}

func TestMain(m *testing.M) {
	code, err := with(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end tests:", err)
		code = 1
	}
	os.Exit(code)
}

func with(m *testing.M) (code int, err error) {
	// Short: the path of a Unix socket inside must fit into 107 bytes.
	if world.dir, err = os.MkdirTemp("", "e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(world.dir)) }()
	if err := build(); err != nil {
		return 1, err
	}
	ctx := context.Background()
	if world.bitcoin, err = btcd.New(ctx, filepath.Join(world.dir, "btcd")); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.bitcoin.Kill()) }()
	if _, err := world.bitcoin.Mine(regtest.Maturity + 20); err != nil {
		return 1, fmt.Errorf("mine the faucet's coins: %w", err)
	}
	return m.Run(), nil
}

func build() error {
	world.binary = filepath.Join(world.dir, "quorate")
	cmd := exec.Command("go", "build", "-race=false", "-o", world.binary, "../../cmd/node")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build quorate: %w: %s", err, out.String())
	}
	if err := os.Mkdir(filepath.Join(world.dir, "btcd"), 0o700); err != nil {
		return err
	}
	world.passFile = filepath.Join(world.dir, "passphrase")
	world.rpcFile = filepath.Join(world.dir, "rpc-password")
	return errors.Join(
		os.WriteFile(world.passFile, []byte("correct horse battery staple\n"), 0o600),
		os.WriteFile(world.rpcFile, []byte("regtest\n"), 0o600),
	)
}
