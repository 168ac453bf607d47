package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/test/nodes"
)

// snapshot is all that a node shows of itself and that bad input must not change.
func snapshot(n *node) map[string]any {
	n.T.Helper()
	out := map[string]any{}
	for _, line := range [][]string{
		{"wallet", "list"}, {"proposals", walletName}, {"coins", walletName}, {"address", walletName, "--peek"},
	} {
		var v any
		if err := json.Unmarshal(n.Run(line...).OK(n.T).Out, &v); err != nil {
			n.T.Fatal(err)
		}
		drop(v)
		out[strings.Join(line, " ")] = v
	}
	return out
}

func unchanged(t testing.TB, n *node, before map[string]any) {
	t.Helper()
	if d := cmp.Diff(before, snapshot(n)); d != "" {
		t.Errorf("bad input changed %s:\n%s", n.Name, d)
	}
}

// Bad input to a running node: one line, its exit status and code, nothing changed.
func TestBadInput(t *testing.T) {
	g := newGroup(t, 2, 2).Fund(10_000_000, 10_000_000)
	a, b := g.Nodes[0], g.Nodes[1]
	p := ask[api.Proposed](a, pay(t, 1_000_000, "--note", "stays as it is")...)
	b.Reaches(p.Proposal, api.StatusPending)
	before, beforeB := snapshot(a), snapshot(b)
	nobody := strings.Repeat("ab", 32)
	send := func(to string, more ...string) []string {
		return append([]string{"propose", walletName, "--to", to, "--fee-rate", "2"}, more...)
	}
	const amount = "=0.01"
	for _, x := range []struct {
		args   []string
		status int
		code   string
	}{
		{[]string{"status", "--sideways"}, 2, "usage"},
		{[]string{"spend"}, 2, "usage"},
		{[]string{"wallet", "rename"}, 2, "usage"},
		{send("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" + amount), 2, "bad_address"},
		{send("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx" + amount), 2, "bad_address"},
		{send("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2" + amount), 2, "bad_address"},
		{send("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081" + amount), 2, "bad_address"},
		{send("=0.01"), 2, "bad_recipient"},
		{send(outside(t) + "=1000000"), 2, "bad_amount"},
		{send(outside(t) + "=0sat"), 2, "bad_amount"},
		{send(outside(t) + "=-1sat"), 2, "bad_amount"},
		{send(outside(t) + "=0.000000001"), 2, "bad_amount"},
		{send(outside(t) + "=1btc"), 4, "insufficient_funds"},
		{send(outside(t) + "=100sat"), 4, "dust"},
		{send(outside(t)+amount, "--coin", nobody+":0"), 4, "bad_coin"},
		{send(outside(t)+amount, "--coin", "x:0"), 2, "bad_outpoint"},
		{send(outside(t)+amount, "--expires", "-1h"), 2, "bad_expiry"},
		{send(outside(t)+amount, "--replaces", nobody), 3, "unknown_proposal"},
		{send(outside(t)+amount, "--note", strings.Repeat("n", 1025)), 2, "bad_request"},
		{send(outside(t)+amount, "--note", "pay \u202eecila"), 2, "bad_request"},
		{[]string{"propose", walletName, "--to", outside(t) + amount, "--fee-rate", "1500"}, 4, "fee_too_high"},
		{[]string{"propose", walletName, "--to", outside(t) + amount, "--fee-rate", "cheap"}, 2, "bad_fee_rate"},
		{[]string{"propose", "nothing", "--to", outside(t) + amount}, 3, "unknown_wallet"},
		{[]string{"wallet", "show", "cafecafe"}, 3, "unknown_wallet"},
		{[]string{"proposal", "show", nobody}, 3, "unknown_proposal"},
		{[]string{"proposal", "show", "zzzzzz"}, 2, "bad_id"},
		{[]string{"approve", nobody}, 3, "unknown_proposal"},
		{[]string{"approve", p.Proposal[:31]}, 2, "short_id"},
		{[]string{"reject", p.Proposal[:12], "--reason", "no"}, 2, "short_id"},
		{[]string{"withdraw", p.Proposal[:12]}, 2, "short_id"},
		{[]string{"tx", p.Proposal}, 4, "not_final"},
		{[]string{"wait", p.Proposal, "--status", "final", "--timeout", "200ms"}, 6, "timeout"},
		{[]string{"wait", p.Proposal, "--status", "paid"}, 2, "bad_status"},
		{[]string{"wait", nobody, "--status", "final"}, 3, "unknown_proposal"},
		{[]string{"reject", p.Proposal, "--reason", "signed already"}, 4, "already_final"},
		{[]string{"wallet", "create", walletName, "--threshold", "1", "--cosigners", "1"}, 4, "name_taken"},
		{[]string{"wallet", "create", "x", "--threshold", "3", "--cosigners", "2"}, 2, "bad_threshold"},
		{[]string{"wallet", "ratify", walletName, "--words", "one two three"}, 2, "bad_words"},
		{[]string{"wallet", "abandon", walletName}, 4, "already_active"},
		{[]string{"wallet", "join", "quorate1nonsense"}, 2, "bad_invite"},
		{[]string{"peers", "add", "/ip4/127.0.0.1"}, 2, "bad_multiaddr"},
	} {
		refused(t, a.Run(x.args...), x.status, x.code)
	}
	refused(t, b.Run("withdraw", p.Proposal), 4, "not_the_author")
	// Without --json the line is the same and standard output stays empty.
	if plain := a.Finish(a.Command("proposal", "show", nobody), ""); plain.Status != 3 || len(plain.Out) != 0 || strings.Count(plain.Err, "\n") != 1 {
		t.Errorf("without --json: %+v", plain)
	}
	unchanged(t, a, before)
	unchanged(t, b, beforeB)

	// A fee above the bound is paid when the proposer and each approver say so by name.
	dear := []string{"propose", walletName, "--to", outside(t) + "=0.001", "--fee-rate", "400"}
	e := refused(t, a.Run(dear...), 4, "fee_too_high")
	if !strings.Contains(string(e.Hint), "--allow fee_too_high") {
		t.Errorf("the hint does not name the override: %q", e.Hint)
	}
	q := ask[api.Proposed](a, append(dear, "--allow", "fee_too_high")...)
	b.Reaches(q.Proposal, api.StatusPending)
	refused(t, b.Run("approve", q.Proposal), 4, "fee_too_high")
	ask[api.Proposal](b, "approve", q.Proposal, "--allow", "fee_too_high")
	world.Confirmed(t, q.Proposal, a, b)

	// What has expired is not signed any more.
	brief := brief(t, a)
	b.Reaches(brief.Proposal, api.StatusExpired)
	refused(t, b.Run("approve", brief.Proposal), 4, "expired")
	refused(t, b.Run("wait", brief.Proposal, "--status", "final"), 4, "expired")
}

// Invites are for one node, for a week; words are compared before anything counts.
func TestBadInvitesAndWords(t *testing.T) {
	a, b, c := newNode(t, "a").Start(), newNode(t, "b").Start(), newNode(t, "c").Start()
	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "3")
	invite, err := port.ParseInvite(made.Invites[0])
	if err != nil {
		t.Fatal(err)
	}
	refused(t, a.Run("wallet", "join", made.Invites[0]), 2, "bad_request")
	expired := invite
	expired.Expires = time.Now().Add(-time.Hour)
	refused(t, c.Run("wallet", "join", expired.String()), 4, "invite_expired")
	guessed := invite
	guessed.Secret[0] ^= 1
	refused(t, c.Run("wallet", "join", guessed.String()), 4, "invite_proof")
	elsewhere := invite
	elsewhere.Group[0] ^= 1
	refused(t, c.Run("wallet", "join", elsewhere.String()), 4, "invite_unknown")

	joined := ask[api.WalletSummary](b, "wallet", "join", made.Invites[0], "--wait")
	if joined.Wallet != made.Wallet {
		t.Errorf("joined %+v", joined)
	}
	refused(t, c.Run("wallet", "join", made.Invites[0]), 4, "invite_used")
	if again := ask[api.WalletSummary](b, "wallet", "join", made.Invites[0]); again.Wallet != made.Wallet {
		t.Errorf("a repeated join: %+v", again)
	}
	if w := ask[api.Page[api.Wallet]](c, "wallet", "list"); len(w.Items) != 0 {
		t.Errorf("who was refused has a wallet: %+v", w.Items)
	}

	d := newNode(t, "d").Start()
	ask[api.WalletSummary](d, "wallet", "join", made.Invites[1], "--wait")
	// Now that every place is taken nobody is let in.
	world.Eventually(t, "all have joined", func() bool { return a.Wallet().Words != nil })
	refused(t, c.Run("wallet", "join", made.Invites[1]), 4, "invite_closed")
	a.Stop()
	refused(t, c.Run("wallet", "join", made.Invites[1]), 1, "founder_unreachable")
	a.Start()
	world.Eventually(t, "the words are there", func() bool { return a.Wallet().Words != nil && b.Wallet().Words != nil })
	refused(t, a.Run("wallet", "ratify", walletName, "--words", "zoo zoo zoo zoo zoo zoo"), 4, "words_differ")
	for _, line := range [][]string{
		{"address", walletName}, {"coins", walletName}, pay(t, 1_000_000),
	} {
		refused(t, a.Run(line...), 4, "wallet_not_active")
	}
	for _, n := range []*node{a, b} {
		w := n.Wallet()
		if w.State != "verifying" || w.Descriptor != nil {
			t.Errorf("%s: %+v", n.Name, w)
		}
		for _, k := range w.Cosigners {
			if k.Ratified {
				t.Errorf("%s shows %s as ratified", n.Name, k.Name)
			}
		}
	}
	ask[api.WalletSummary](a, "wallet", "abandon", walletName)
	world.Eventually(t, "b learns that it is abandoned", func() bool { return b.Wallet().State == "abandoned" })
	refused(t, b.Run("wallet", "ratify", walletName, "--words", *b.Wallet().Words), 4, "abandoned")
}

// brief proposes something that expires as soon as can be. The median time of
// blocks, which counts too, runs ahead where blocks are mined in a row.
func brief(t testing.TB, n *node) api.Proposed {
	t.Helper()
	for seconds := 2; ; seconds *= 2 {
		a := n.Run(pay(t, 1_000_000, "--expires", fmt.Sprintf("%ds", seconds), "--allow", "possible_double_payment")...)
		if a.Status == 0 || seconds > 600 {
			return read[api.Proposed](t, a)
		}
		refused(t, a, 2, "bad_request")
	}
}

// A node that cannot be started, or is not running.
func TestBadStarts(t *testing.T) {
	n := newNode(t, "a")
	refused(t, n.Run("status"), 5, "not_running")
	refused(t, n.Run("init", "--network", "regtest", "--passphrase-file", world.PassFile), 4, "exists")
	start := func(more ...string) answer {
		return n.Run(append([]string{"start", "--passphrase-file", world.PassFile}, more...)...)
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("not it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, n.Run("start", "--passphrase-file", wrong), 1, "wrong_passphrase")
	refused(t, n.Run("start", "--passphrase-file", wrong+".missing"), 2, "bad_passphrase_file")
	refused(t, n.Run("start"), 2, "no_passphrase")
	refused(t, start("--set", "network=signet"), 4, "wrong_network")
	refused(t, start("--set", "colour=blue"), 2, "bad_config")
	refused(t, start("--set", "chain.backend=magic"), 2, "bad_config")
	refused(t, start("--set", "listen=here"), 2, "bad_config")
	empty := world.At(t, nodes.Config{Name: "empty", Dir: filepath.Join(t.TempDir(), "none")})
	refused(t, empty.Run("start", "--passphrase-file", world.PassFile), 3, "not_initialized")
	refused(t, empty.Run("status"), 5, "not_running")
	if _, err := os.Stat(empty.Dir); !os.IsNotExist(err) {
		t.Errorf("a refused start left %s behind: %v", empty.Dir, err)
	}

	n.Start()
	refused(t, start(), 1, "data_dir_locked")
	ask[api.Status](n, "status")
	n.Stop()
	refused(t, n.Run("status"), 5, "not_running")
	n.Start()
	n.Stop()
}

// Nothing is acknowledged that a full disk could not take, and the node goes
// on when there is room again.
func TestFullDisk(t *testing.T) {
	disk := filepath.Join(world.Dir, "disk")
	if os.Geteuid() != 0 {
		t.Skip("not root: no file system of a certain size can be mounted")
	}
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("tmpfs cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
	n := world.New(t, nodes.Config{Name: "a", Dir: filepath.Join(disk, "n")}).Start()
	g := world.Group(t, n)
	g.ID = ask[api.WalletInvites](n, "wallet", "create", walletName, "--threshold", "1", "--cosigners", "1").Wallet
	world.Eventually(t, "the words are there", func() bool { return n.Wallet().Words != nil })
	ask[api.Ratified](n, "wallet", "ratify", walletName, "--words", *n.Wallet().Words)
	g.Fund(10_000_000)
	before := snapshot(n)

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	for _, line := range [][]string{
		pay(t, 1_000_000), {"address", walletName}, {"wallet", "create", "another", "--threshold", "1", "--cosigners", "1"},
	} {
		refused(t, n.Run(line...), 1, "disk_full")
	}
	unchanged(t, n, before)
	other := world.At(t, nodes.Config{Name: "b", Dir: filepath.Join(disk, "b")})
	refused(t, other.Run("init", "--network", "regtest", "--name", "b", "--passphrase-file", world.PassFile, "--words-file", filepath.Join(t.TempDir(), "words")), 1, "disk_full")
	if _, err := os.Stat(other.Dir); !os.IsNotExist(err) {
		t.Errorf("a refused init left %s behind: %v", other.Dir, err)
	}
	n.Stop()
	refused(t, n.Run("start", "--passphrase-file", world.PassFile), 1, "disk_full")
	if found := ailing(t, n.Run("doctor", "--passphrase-file", world.PassFile)); len(found) != 1 || found[0].Code != "disk_full" {
		t.Errorf("the doctor says %+v", found)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	n.Start().Synced()
	unchanged(t, n, before)
	p := ask[api.Proposed](n, pay(t, 1_000_000)...)
	world.Confirmed(t, p.Proposal, n)
	n.Stop()
}

// fill writes a file until nothing more fits.
func fill(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; size /= 4 {
		for block := make([]byte, size); ; {
			if n, err := f.Write(block); err != nil || n < size {
				break
			}
		}
	}
}
