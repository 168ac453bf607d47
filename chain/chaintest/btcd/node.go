// Package btcd runs a real btcd process on regtest for tests: the node to test
// a chain backend, or a whole cosigner, against.
package btcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
)

// ErrStart is returned when the process does not come up.
var ErrStart = errors.New("btcd did not start")

// Node is a btcd process with its data in a temporary folder. It is safe for
// concurrent use.
type Node struct {
	// Host is host:port of the RPC server; it speaks plain HTTP, with User and Password.
	Host, User, Password string
	// P2P is host:port for Bitcoin peers.
	P2P string

	binary, dir string
	key         *regtest.Key

	mu    sync.Mutex
	cmd   *exec.Cmd
	rpc   *rpcclient.Client
	log   *bytes.Buffer
	coins []coin
	kept  []*wire.MsgBlock
	nonce uint64
}

// URL is that of the RPC server.
func (n *Node) URL() string { return "http://" + n.Host }

// Start builds btcd from the module's own tool dependency, runs it, mines
// enough for the faucet to own mature coins, and stops it when the test ends.
func Start(t testing.TB) *Node {
	t.Helper()
	n, err := New(t.Context(), t.TempDir())
	if err != nil {
		t.Fatalf("start btcd: %v", err)
	}
	t.Cleanup(func() {
		if err := n.Kill(); err != nil {
			t.Errorf("stop btcd: %v", err)
		}
	})
	if _, err := n.Mine(regtest.Maturity + 20); err != nil {
		t.Fatalf("mine the faucet's coins: %v", err)
	}
	return n
}

// New runs btcd with its data in dir; the chain is empty. The caller stops it.
func New(ctx context.Context, dir string) (*Node, error) {
	binary, err := toolPath(ctx)
	if err != nil {
		return nil, err
	}
	key, err := regtest.NewKey("btcd")
	if err != nil {
		return nil, err
	}
	n := &Node{User: "quorate", Password: "regtest", binary: binary, dir: dir, key: key}
	if n.Host, err = freeAddress(); err != nil {
		return nil, err
	}
	if n.P2P, err = freeAddress(); err != nil {
		return nil, err
	}
	return n, n.Restart(ctx)
}

// toolPath builds btcd into Go's build cache, if it is not there, and returns its path.
func toolPath(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-n", "btcd")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build btcd: %w: %s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// Restart stops the process if it runs, and starts it again on the same chain
// and ports. The mempool is then empty. Other nodes may see the chain grow from
// its beginning.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Stop(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = &bytes.Buffer{}
	// The process outlives ctx: Stop ends it.
	n.cmd = exec.Command(n.binary,
		"--regtest", "--notls", "--nobanning", "--nodnsseed", "--noonion", "--rejectnonstd", "--norelaypriority", "--limitfreerelay=0",
		"--configfile="+filepath.Join(n.dir, "none.conf"),
		"--datadir="+filepath.Join(n.dir, "data"), "--logdir="+filepath.Join(n.dir, "log"),
		"--rpcuser="+n.User, "--rpcpass="+n.Password, "--rpclisten="+n.Host,
		"--rpcmaxclients=100", "--listen="+n.P2P, "--miningaddr="+n.key.Address(), "--debuglevel=warn")
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	// A config file that exists, so that btcd does not write a sample of its own.
	if err := os.WriteFile(filepath.Join(n.dir, "none.conf"), nil, 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := n.cmd.Start(); err != nil {
		n.cmd = nil
		return fmt.Errorf("run btcd: %w", err)
	}
	rpc, err := rpcclient.New(&rpcclient.ConnConfig{
		Host: n.Host, User: n.User, Pass: n.Password, DisableTLS: true, HTTPPostMode: true,
		DisableConnectOnNew: true, Params: "regtest",
	}, nil)
	if err != nil {
		return errors.Join(fmt.Errorf("make RPC client: %w", err), n.stop())
	}
	n.rpc = rpc
	if err := n.ready(ctx); err != nil {
		return errors.Join(err, n.stop())
	}
	for i, block := range n.kept {
		if err := n.rpc.SubmitBlock(btcutil.NewBlock(block), nil); err != nil {
			return errors.Join(fmt.Errorf("give back block %d: %w", i+1, err), n.stop())
		}
	}
	return nil
}

// ready waits until the node answers.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// Without a listener rpcclient would retry for minutes.
		if c, err := net.Dial("tcp", n.Host); err == nil {
			_ = c.Close()
			if _, err := n.rpc.GetBlockCount(); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w: %s", ErrStart, ctx.Err(), n.log.String())
		case <-tick.C:
		}
	}
}

// Stop ends the process. It keeps the best chain for Restart, because btcd
// itself throws a regtest chain away when it starts.
func (n *Node) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return n.stop()
	}
	tip, err := n.rpc.GetBlockCount()
	if err != nil {
		return errors.Join(fmt.Errorf("get height: %w", err), n.stop())
	}
	n.kept = nil
	for height := range tip {
		hash, err := n.rpc.GetBlockHash(height + 1)
		if err != nil {
			return errors.Join(fmt.Errorf("find block %d: %w", height+1, err), n.stop())
		}
		block, err := n.rpc.GetBlock(hash)
		if err != nil {
			return errors.Join(fmt.Errorf("get block %d: %w", height+1, err), n.stop())
		}
		n.kept = append(n.kept, block)
	}
	return n.stop()
}

// Kill ends the process and keeps nothing.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept = nil
	return n.stop()
}

func (n *Node) stop() error {
	if n.rpc != nil {
		n.rpc.Shutdown()
		n.rpc.WaitForShutdown()
		n.rpc = nil
	}
	if n.cmd == nil {
		return nil
	}
	cmd := n.cmd
	n.cmd = nil
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("interrupt btcd: %w", err)
	}
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("end btcd: %w: %s", err, n.log.String())
	}
	return nil
}
