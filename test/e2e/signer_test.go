package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"golang.org/x/sys/unix"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/test/nodes"
	"github.com/quorate/quorate/wallet"
)

// words are of a vector of BIP39.
const words = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"

// signing is `quorate signer` as a process.
type signing struct{ *nodes.Node }

// newSigner runs `quorate signer init`.
func newSigner(t *testing.T) *signing {
	t.Helper()
	s := &signing{world.At(t, nodes.Config{Name: "s"})}
	file := filepath.Join(filepath.Dir(s.Dir), "words")
	if err := os.WriteFile(file, []byte(words+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run("signer", "init", "--network", "regtest", "--mnemonic-file", file, "--passphrase-file", world.PassFile).OK(t)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signing) socket() string { return filepath.Join(s.Dir, "signer.sock") }

// start runs `quorate signer`, and returns once it has its socket.
func (s *signing) start(more ...string) {
	s.T.Helper()
	before := len(s.Log.String())
	p := s.Begin(append([]string{"signer", "--passphrase-file", world.PassFile, "--log-level", "debug"}, more...)...)
	world.Eventually(s.T, "the signer is ready", func() bool {
		select {
		case <-p.Done():
			s.T.Fatalf("the signer ended: %v\n%s", p.State(), s.Log)
		default:
		}
		return strings.Contains(s.Log.String()[before:], "signer is running")
	})
}

// signedElsewhere is a group of two: the key of the first is with a signer.
func signedElsewhere(t *testing.T) (*party, *signing) {
	t.Helper()
	s := newSigner(t)
	s.start()
	a := world.New(t, nodes.Config{Name: "a", Settings: []string{"signer=" + s.socket()}}).Start()
	return groupOf(t, 2, a, newNode(t, "b").Start()).Fund(40_000_000, 20_000_000), s
}

// A node without a seed founds, proposes and approves with a signer process;
// while that is away it is told so, and nothing is lost.
func TestSpendBySignerProcess(t *testing.T) {
	g, s := signedElsewhere(t)
	a, b := g.Nodes[0], g.Nodes[1]
	p := ask[api.Proposed](a.Synced(), pay(t, 10_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b.Synced(), "approve", p.Proposal)
	world.Confirmed(t, p.Proposal, a, b)

	s.Stop()
	p = ask[api.Proposed](b.Synced(), pay(t, 5_000_000)...)
	a.Reaches(p.Proposal, api.StatusPending)
	if got := a.Synced().Run("approve", p.Proposal); got.Status != 1 || !strings.Contains(got.Err, s.socket()) {
		t.Errorf("approved without a signer: exit status %d: %s", got.Status, got.Err)
	}
	s.start()
	ask[api.Proposal](a, "approve", p.Proposal)
	world.Confirmed(t, p.Proposal, a, b)
	for _, n := range g.Nodes {
		n.Stop()
	}
}

// A seed is where it belongs, and nowhere else: not in the memory of the
// process that talks to the network, nor in arguments, environments, logs,
// answers or files. The same search finds it in the memory of the signer, and
// in that of a node whose seed is in its own keystore.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to read the memory of another process needs root")
	}
	g, s := signedElsewhere(t)
	a, b := g.Nodes[0], g.Nodes[1]
	p := ask[api.Proposed](a.Synced(), pay(t, 10_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b.Synced(), "approve", p.Proposal)
	world.Confirmed(t, p.Proposal, a, b)

	secrets := secretsOf(t, words)
	inSigner := search(memory(t, s.PID()), secrets)
	if !inSigner["seed"] || !inSigner["account key in memory"] {
		t.Errorf("the search finds in the signer only %v", inSigner)
	}
	if got := search(memory(t, a.PID()), secrets); len(got) != 0 {
		t.Errorf("the process that talks to the network holds %v", got)
	}
	for _, pid := range []int{a.PID(), b.PID(), s.PID()} {
		for _, what := range []string{"cmdline", "environ"} {
			if got := search(procFile(t, pid, what), secrets); len(got) != 0 {
				t.Errorf("%s of %d shows %v", what, pid, got)
			}
		}
	}
	answers := []byte(a.Log.String() + b.Log.String() + s.Log.String())
	for _, line := range [][]string{
		{"status"}, {"wallet", "list"}, {"wallet", "show", walletName}, {"proposals", walletName}, {"proposal", "show", p.Proposal},
		{"coins", walletName}, {"history", walletName}, {"peers"}, {"tx", p.Proposal},
	} {
		x := a.Run(line...).OK(t)
		answers = append(append(answers, x.Out...), x.Err...)
	}
	if got := search(answers, secrets); len(got) != 0 {
		t.Errorf("logs and answers show %v", got)
	}
	backup := filepath.Join(filepath.Dir(a.Dir), "backup")
	ask[map[string]any](a, "backup", backup, "--passphrase-file", world.PassFile)
	for _, dir := range []string{filepath.Dir(a.Dir), s.Dir} {
		if got := search(files(t, dir), secrets); len(got) != 0 {
			t.Errorf("files in %s show %v", dir, got)
		}
	}
	// The same for a node that has its seed itself.
	own := secretsOfNode(t, b)
	if got := search(memory(t, b.PID()), own); !got["seed"] {
		t.Errorf("the search finds in a node with a seed only %v", got)
	}
	if got := search(append(answers, files(t, filepath.Dir(b.Dir))...), own); len(got) != 0 {
		t.Errorf("logs, answers and files show %v", got)
	}
}

// secretsOf are the forms in which a seed and its account key could be found.
func secretsOf(t *testing.T, mnemonic string) map[string][]byte {
	t.Helper()
	seed, err := wallet.MnemonicSeed(mnemonic, "")
	if err != nil {
		t.Fatal(err)
	}
	key := accountKey(t, seed)
	turned := make([]byte, len(key)) // as the curve's arithmetic holds it: the least word first
	for i := range key {
		turned[i] = key[len(key)-1-i]
	}
	return map[string][]byte{
		"mnemonic": []byte(mnemonic), "seed": seed, "seed in hex": []byte(hex.EncodeToString(seed)),
		"seed in base64": []byte(base64.StdEncoding.EncodeToString(seed)),
		"account key":    key, "account key in memory": turned, "account key in hex": []byte(hex.EncodeToString(key)),
	}
}

// accountKey derives the private key of m/48'/1'/0'/2'.
func accountKey(t *testing.T, seed []byte) []byte {
	t.Helper()
	k, err := hdkeychain.NewMaster(seed, &chaincfg.RegressionNetParams)
	for _, step := range []uint32{48, 1, 0, 2} {
		if err == nil {
			k, err = k.Derive(hdkeychain.HardenedKeyStart + step)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	priv, err := k.ECPrivKey()
	if err != nil {
		t.Fatal(err)
	}
	return priv.Serialize()
}

// secretsOfNode are those in a node's own keystore.
func secretsOfNode(t *testing.T, n *node) map[string][]byte {
	t.Helper()
	pass, err := os.ReadFile(world.PassFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Unlock(n.Dir, "regtest", bytes.TrimSpace(pass))
	if err != nil {
		t.Fatal(err)
	}
	return secretsOf(t, c.Mnemonic)
}

// search says which secrets are in b.
func search(b []byte, secrets map[string][]byte) map[string]bool {
	found := map[string]bool{}
	for name, s := range secrets {
		if bytes.Contains(b, s) {
			found[name] = true
		}
	}
	return found
}

// memory is all that a process has mapped and that can be read.
func memory(t *testing.T, pid int) []byte {
	t.Helper()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mem.Close() }()
	var all []byte
	for line := range strings.Lines(string(procFile(t, pid, "maps"))) {
		if strings.Contains(line, "[v") {
			continue // of the kernel
		}
		var from, to int64
		var perm string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &perm); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if !strings.HasPrefix(perm, "r") {
			continue
		}
		b := make([]byte, to-from)
		n, _ := mem.ReadAt(b, from) // a mapping may be gone, or longer than its file
		all = append(all, b[:n]...)
	}
	if len(all) < 1<<20 {
		t.Fatalf("only %d bytes of memory could be read", len(all))
	}
	return all
}

func procFile(t *testing.T, pid int, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files is what is in all files below a directory.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// No process that holds a key leaves its memory behind when it crashes; one
// that is not hardened does, so that the test would notice.
func TestNoCoreIsDumped(t *testing.T) {
	dir := t.TempDir()
	crash := func(cmd *exec.Cmd, ready func() bool) bool {
		t.Helper()
		cmd.Dir, cmd.Env = dir, append(nodes.Environ(), "GOTRACEBACK=crash")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		world.Eventually(t, "the process runs", ready)
		if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() {
			t.Fatalf("the process was not killed by a signal: %v", cmd.ProcessState)
		}
		return status.CoreDump()
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	open := limit
	open.Cur = open.Max
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &open); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
			t.Error(err)
		}
	}()
	if !crash(exec.Command("sleep", "1000"), func() bool { return true }) {
		t.Skip("this system dumps no core of any process: there is nothing to see")
	}
	n := newNode(t, "a")
	var out nodes.Log
	start := exec.Command(world.Binary, "--data-dir", n.Dir, "start", "--passphrase-file", world.PassFile, "--set", "network=regtest")
	start.Stderr = &out
	if crash(start, func() bool { return strings.Contains(out.String(), "node is running") }) {
		t.Error("a node dumped its memory")
	}
	s := newSigner(t)
	sign := exec.Command(world.Binary, "--data-dir", s.Dir, "signer", "--passphrase-file", world.PassFile)
	sign.Stderr = s.Log
	if crash(sign, func() bool { return strings.Contains(s.Log.String(), "signer is running") }) {
		t.Error("a signer dumped its memory")
	}
}
