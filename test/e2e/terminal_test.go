package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/quorate/quorate/api"
)

// person is somebody at a terminal in which a command of a node runs.
type person struct {
	t    *testing.T
	keys *os.File
	cmd  *exec.Cmd
	gone chan struct{} // closed when the terminal is at its end

	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // up to the end of what was found last
	more  chan struct{}
}

func atTerminal(t *testing.T, n *node, args ...string) *person {
	t.Helper()
	cmd := exec.Command(world.Binary, append([]string{"--data-dir", n.Dir}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=1")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	p := &person{t: t, keys: f, cmd: cmd, gone: make(chan struct{}), more: make(chan struct{}, 1)}
	go func() {
		defer close(p.gone)
		b := make([]byte, 4096)
		for {
			n, err := f.Read(b)
			p.mu.Lock()
			p.shown.Write(b[:n])
			p.mu.Unlock()
			select {
			case p.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has mostly ended
		_ = f.Close()
	})
	return p
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

// finds waits until something is on the screen, after what was found last, and returns
// its first group.
func (p *person) finds(what string) string {
	p.t.Helper()
	re := regexp.MustCompile(what)
	late := time.After(patience)
	for ended := false; ; {
		p.mu.Lock()
		m := re.FindSubmatchIndex(p.shown.Bytes()[p.seen:])
		found := ""
		if m != nil {
			found = string(p.shown.Bytes()[p.seen+m[len(m)-2] : p.seen+m[len(m)-1]])
			p.seen += m[1]
		}
		p.mu.Unlock()
		if m != nil {
			return found
		}
		if ended {
			p.t.Fatalf("it ended, and %q was not shown in:\n%s", what, p.screen())
		}
		select {
		case <-p.more:
		case <-p.gone:
			ended = true
		case <-late:
			p.t.Fatalf("%q is not shown in:\n%s", what, p.screen())
		}
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.keys.WriteString(text + "\r"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) leaves() {
	p.t.Helper()
	select {
	case <-p.gone:
	case <-time.After(patience):
		p.t.Fatalf("it does not end:\n%s", p.screen())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%v:\n%s", err, p.screen())
	}
}

// Two people at their terminals: each gives one command, which stays until the wallet is
// active, and no id and no path is carried.
func TestCreateAndJoinStayUntilTheWalletIsActive(t *testing.T) {
	a, b := newNode(t, "a").Start(), newNode(t, "b").Start()
	founder := atTerminal(t, a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "2")
	invite := founder.finds(`(quorate1\S+)\r\n`)
	founder.finds(`1 of 2 have joined`)
	joiner := atTerminal(t, b, "wallet", "join", "-")
	joiner.finds(`Invite \(it is not shown\): `)
	joiner.types(invite)
	words := map[*person]string{}
	for _, p := range []*person{founder, joiner} {
		words[p] = p.finds(`Your six words:\r\n\r\n +([a-z ]+)\r\n`)
		p.finds(`The words that you heard: `)
	}
	if words[founder] != words[joiner] {
		t.Fatalf("%q and %q", words[founder], words[joiner])
	}
	for _, p := range []*person{founder, joiner} {
		p.types(words[p])
		p.finds(`\[yes/no\] `)
		p.types("yes")
		p.finds(`Ratified\.`)
	}
	for _, p := range []*person{founder, joiner} {
		p.finds(`is active`)
		p.leaves()
	}
	for _, n := range []*node{a, b} {
		if w := n.Wallet(); w.State != "active" || w.CosignerCount != 2 {
			t.Errorf("%s: %+v", n.Name, w.WalletSummary)
		}
	}
}

// A node without a seed brings keys of devices alone, and pays with them.
func TestNodeWithoutASeed(t *testing.T) {
	cold := newColdKey(t, 31)
	n := newNode(t, "cold", "--no-seed").Start()
	for _, args := range [][]string{
		{"wallet", "create", walletName, "--threshold", "1", "--cosigners", "1"},
		{"wallet", "create", walletName, "--threshold", "2", "--cosigners", "2"},
	} {
		if r := n.Run(args...); r.Status != 4 || !bytes.Contains(r.Out, []byte(`"code":"no_seed"`)) {
			t.Errorf("`quorate %s`: exit status %d: %s", r.Line, r.Status, r.Out)
		}
	}
	g := world.Group(t, n)
	g.ID = ask[api.WalletInvites](n, "wallet", "create", walletName, "--threshold", "1", "--cosigners", "1", "--external", cold.key.String(), "--unproven").Wallet
	words := ""
	world.Eventually(t, "it shows words", func() bool {
		if w := n.Wallet(); w.Words != nil {
			words = *w.Words
		}
		return words != ""
	})
	ask[api.Ratified](n, "wallet", "ratify", "--words", words, "--accept-unproven")
	world.Eventually(t, "it is active", func() bool { return n.Wallet().State == "active" })
	g.Fund(1_000_000)
	p := ask[api.Proposed](n.Synced(), pay(t, 500_000)...)
	if p.Status != api.StatusPending {
		t.Errorf("a node without keys signed: %s", p.Status)
	}
	dir := t.TempDir()
	out, signed := filepath.Join(dir, "out.psbt"), filepath.Join(dir, "signed.psbt")
	if x := ask[api.ExportedPSBT](n, "psbt", "export", p.Proposal, "-o", out); !x.Guarded {
		t.Error("what the device will sign is not guarded")
	}
	cold.sign(out, signed)
	if x := ask[api.ImportedPSBT](n, "psbt", "import", signed); len(x.Added) != 1 || !x.Added[0].Own {
		t.Errorf("imported %+v", x)
	}
	n.Reaches(p.Proposal, api.StatusFinal, api.StatusBroadcast)
}
