package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// robotPolicy has a rule for each way that a payment can go. Each payee has many addresses: a
// second payment to one within a day is refused to a robot.
const robotPolicy = `title        = "Suppliers"
change_delay = "72h"
robots       = ["vault"]
start_quorum = 1

groups.people    = ["ana", "boris"]
recipients.acme  = { addresses = [%s] }
recipients.built = { addresses = [%s] }
recipients.slow  = { addresses = [%s] }
recipients.soon  = { addresses = [%s] }
meters.day       = { limit = "0.2btc", window = "24h", per = "group" }

[[rules]]
name    = "suppliers"
when    = { to = ["acme"], initiator = ["people"] }
require = { amount_max = "1000000sat", fee_max = "20000sat", meters = ["day"], approvals = [{ of = "people", n = 1 }], initiator_counts = true }
then    = "sign"
else    = "deny"

[[rules]]
name    = "builders"
when    = { to = ["built"], initiator = ["people"] }
require = { amount_max = "200000sat", meters = ["day"] }
then    = "sign"
else    = "ask"
ask     = [{ who = "people", n = 1, within = "24h", amount_max = "500000sat", meters = ["day"] }]

[[rules]]
name    = "slowly"
when    = { to = ["slow"], initiator = ["people"] }
require = { amount_max = "1000000sat", meters = ["day"], delay = "1h" }
then    = "sign"

[[rules]]
name    = "soon"
when    = { to = ["soon"], initiator = ["people"] }
require = { amount_max = "1000000sat", meters = ["day"], delay = "2s" }
then    = "sign"
`

// employed is a wallet of 2 of 3 with a robot that follows robotPolicy.
type employed struct {
	*party
	t                 *testing.T
	ana, boris, vault *node
	payees            map[string][]string
	taken             int64 // by what the robot signed, in satoshis
}

// employ founds the wallet, and has the policy voted in over command lines.
func employ(t *testing.T) *employed {
	t.Helper()
	e := &employed{t: t, ana: newNode(t, "ana"), boris: newNode(t, "boris"), vault: newNode(t, "vault", "--robot"), payees: map[string][]string{}}
	for _, n := range []*node{e.ana, e.boris, e.vault} {
		n.Start().Synced()
	}
	e.party = world.Found(t, 2, e.ana, e.boris, e.vault)
	e.Fund(slices.Repeat([]int64{3_000_000}, 12)...)
	var lists []any
	for _, name := range []string{"acme", "built", "slow", "soon"} {
		for range 16 {
			e.payees[name] = append(e.payees[name], outside(t))
		}
		lists = append(lists, `"`+strings.Join(e.payees[name], `", "`)+`"`)
	}
	file := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, robotPolicy, lists...), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, e.boris.Run("policy", "show", walletName), 3, "no_policy")
	checked := ask[policyAnswer](e.ana, "policy", "check", walletName, file)
	if len(checked.Versions) != 0 {
		t.Errorf("before it is proposed it is %v", checked.Versions)
	}
	var line answer
	world.Eventually(t, "all are known to understand policies, and ana proposes one", func() bool {
		line = e.ana.Run("policy", "propose", walletName, file, "--yes")
		return line.Status == 0
	})
	put := read[api.Policy](t, line)
	if put.Passed || len(put.For) != 1 {
		t.Fatalf("proposed by one: %+v", put)
	}
	world.Eventually(t, "boris is for it", func() bool {
		return e.boris.Run("policy", "approve", walletName, put.Version, "--yes").Status == 0
	})
	for _, n := range e.Nodes {
		world.Eventually(t, n.Name+" shows that the robot follows it", func() bool {
			for _, p := range ask[api.Page[api.Policy]](n, "policy", "list", walletName).Items {
				if p.Version == put.Version {
					return slices.ContainsFunc(p.Robots, func(r api.PolicyRobot) bool { return r.Robot.Name == "vault" && r.Follows })
				}
			}
			return false
		})
		for _, line := range [][]string{{"policy", "show", walletName}, {"policy", "show"}, {"policy", "show", put.Version}, {"policy", "check", walletName, file}, {"policy", "show", walletName, file}} {
			if shown := ask[policyAnswer](n, line...); shown.Hash != checked.Hash || !slices.Equal(shown.Versions, []string{put.Version}) {
				t.Errorf("%s: %v shows %s, %v, not the policy in force, %s", n.Name, line, shown.Hash, shown.Versions, checked.Hash)
			}
		}
	}
	if r := ask[api.Robot](e.vault, "robot", "status"); r.Policy == nil || r.Policy.Version != put.Version || r.Silent != nil {
		t.Fatalf("the robot follows it: %+v", r)
	}
	return e
}

// line is a command line that pays one of a payee's addresses, each another one.
func (e *employed) line(to string, sat int64, more ...string) []string {
	e.t.Helper()
	at := e.payees[to][0]
	e.payees[to] = e.payees[to][1:]
	return append([]string{"propose", walletName, "--to", fmt.Sprintf("%s=%dsat", at, sat), "--fee-rate", "2"}, more...)
}

// proposes has ana propose a payment, which her key signs unless the flags say otherwise.
func (e *employed) proposes(to string, sat int64, more ...string) api.Proposed {
	e.t.Helper()
	return ask[api.Proposed](e.ana, e.line(to, sat, more...)...)
}

// held waits until nodes hold a proposal.
func (e *employed) held(p api.Proposed, by ...*node) {
	e.t.Helper()
	for _, n := range by {
		n.Reaches(p.Proposal, api.StatusPending)
	}
}

// signs waits until the robot has signed a payment of so much, and the network has it.
func (e *employed) signs(p api.Proposed, sat int64) {
	e.t.Helper()
	e.ana.Reaches(p.Proposal, api.StatusBroadcast, api.StatusConfirmed)
	e.vault.Reaches(p.Proposal, api.StatusBroadcast, api.StatusConfirmed)
	for _, n := range []*node{e.ana, e.vault} {
		// Where the robot was killed, the network may have told of it before the robot did.
		world.Eventually(e.t, n.Name+" shows that a person and the robot signed it", func() bool {
			a := approvals(n, p.Proposal)
			return a["vault"] == 1 && len(a) == 2
		})
	}
	e.taken += sat + p.Fee
}

// approvals counts how often each signed a proposal, as a node shows it.
func approvals(n *node, proposal string) map[string]int {
	n.T.Helper()
	out := map[string]int{}
	for _, a := range ask[api.Proposal](n, "proposal", "show", proposal).Approvals {
		out[a.Cosigner.Name]++
	}
	return out
}

// charged holds the robot's meter to have what it signed, no more and no less.
func (e *employed) charged(when string) {
	e.t.Helper()
	r := ask[api.Robot](e.vault, "robot", "status")
	if len(r.Meters) != 1 || r.Meters[0].Taken != e.taken || r.Meters[0].Share != 20_000_000 {
		e.t.Errorf("%s: the robot signed %d in all, and its meters have %+v", when, e.taken, r.Meters)
	}
}

// mined has all that was broadcast confirmed, so that its change can be spent.
func (e *employed) mined() {
	e.t.Helper()
	world.Mine(e.t, 1)
	for _, n := range []*node{e.ana, e.vault} {
		world.Eventually(e.t, n.Name+" sees them mined", func() bool {
			return !slices.ContainsFunc(proposals(n), func(p api.Proposal) bool { return p.Status == api.StatusBroadcast })
		})
	}
}

// says waits until all nodes show what the robot makes of a proposal, and holds its sentence.
func (e *employed) says(p api.Proposed, outcome, code, text string) {
	e.t.Helper()
	if code != "" {
		says(e.t, e.party, "vault", p.Proposal, outcome, code)
	}
	for _, n := range e.Nodes {
		world.Eventually(e.t, n.Name+" shows that the robot says "+outcome, func() bool {
			v := saidOf(n, "vault", p.Proposal)
			return v.Outcome != nil && *v.Outcome == outcome
		})
		if v := saidOf(n, "vault", p.Proposal); !strings.HasPrefix(v.Text, "vault "+text) {
			e.t.Errorf("%s: explained as %q", n.Name, v.Text)
		}
	}
}

// A robot follows what its group voted in: it signs a supplier right after a person did,
// denies, asks and waits, and says of each why. It is killed between its writes, frozen, lost
// with its machine and restored; its meter has what it signed, once.
func TestARobotWithAPolicy(t *testing.T) {
	e := employ(t)
	backup := filepath.Join(t.TempDir(), "vault.age")
	e.outcomes()
	made := ask[ops.BackupResult](e.vault, "backup", backup, "--passphrase-file", world.PassFile)
	e.killedWhileSigning()
	e.frozen()
	e.restored(backup, made.PeerID)
	for _, n := range e.Nodes {
		for _, r := range ask[api.Page[api.Replayed]](n, "policy", "replay", walletName).Items {
			if len(r.Differs) > 0 {
				t.Errorf("%s: replayed, %+v differs", n.Name, r)
			}
		}
	}
	noEquivocation(t, e.Nodes...)
}

func (e *employed) outcomes() {
	t := e.t
	t.Helper()
	first := e.proposes("acme", 400_000, "--unsigned")
	e.says(first, "wait", "approvals", "waits: approvals that the rule asks for are missing")
	began := time.Now()
	e.boris.Run("approve", first.Proposal, "--yes").OK(t)
	e.signs(first, 400_000)
	t.Logf("from the command of a person until the robot has signed too and all is broadcast: %v", time.Since(began).Round(time.Millisecond))
	e.says(first, "sign", "", `signed it by rule 1, "suppliers".`)

	above := e.proposes("acme", 1_000_001)
	e.says(above, "deny", "amount_max", `denies it: it pays more than the rule lets be paid (rule 1, "suppliers").`)
	strangers := ask[api.Proposed](e.ana, pay(t, 10_000)...)
	e.says(strangers, "deny", "no_rule", "denies it: no rule of the policy is for it.")

	asked, beyond := e.proposes("built", 450_000, "--unsigned"), e.proposes("built", 500_001, "--unsigned")
	for _, p := range []api.Proposed{asked, beyond} {
		e.says(p, "ask", "amount_max", "asks ")
	}
	e.charged("asked, not answered")
	e.boris.Run("approve", asked.Proposal, "--yes").OK(t)
	e.signs(asked, 450_000)
	e.boris.Run("approve", beyond.Proposal, "--yes").OK(t)

	slow, soon := e.proposes("slow", 300_000), e.proposes("soon", 310_000)
	e.says(slow, "wait", "delay", "waits: the delay of the rule runs")
	e.boris.Run("reject", slow.Proposal, "--reason", "not what we agreed on", "--yes").OK(t)
	e.says(slow, "deny", "rejected", `denies it: somebody whom the rule asks for is against it (rule 3, "slowly").`)
	e.signs(soon, 310_000)

	// The answer went beyond the bounds of the step.
	for _, n := range e.Nodes {
		if a := approvals(n, beyond.Proposal); a["vault"] != 0 {
			t.Errorf("%s: signed by %v", n.Name, a)
		}
	}
	e.says(beyond, "ask", "amount_max", "asks ")
	e.charged("all outcomes")
	e.mined()
}

// killedWhileSigning kills the robot's node at one write after the other while a payment is
// approved: what it signed is charged, once, whichever of the writes it got done.
func (e *employed) killedWhileSigning() {
	t := e.t
	t.Helper()
	died := 0
	for n := 1; n <= 6; n++ {
		sat := int64(100_000 + n)
		p := e.proposes("acme", sat, "--unsigned")
		e.says(p, "wait", "approvals", "waits: ")
		gone := e.killAtWrite(n)
		e.boris.Run("approve", p.Proposal, "--yes").OK(t)
		world.Eventually(t, "the robot is gone, or has signed", func() bool { return gone() || e.ana.Status(p.Proposal) != api.StatusPending })
		if gone() {
			died++
		}
		e.vault.Kill()
		e.vault.Start().Synced()
		e.signs(p, sat)
		e.charged(fmt.Sprintf("killed at write %d", n))
	}
	t.Logf("killed at a write %d times of 6", died)
	if died < 2 {
		t.Errorf("of 6 times it was killed %d times while it wrote: the moments are badly chosen", died)
	}
	e.mined()
	e.charged("mined")
}

// killAtWrite has the robot's node killed at its n-th write from now on, and returns whether
// it is gone. A commit of its store is one msync.
func (e *employed) killAtWrite(n int) (gone func() bool) {
	t := e.t
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: nothing can be killed at a write")
	}
	cmd := exec.Command(strace, "-f", "-o", "/dev/null", "-p", fmt.Sprint(e.vault.PID()), "-e", "trace=msync", "-e", fmt.Sprintf("inject=msync:signal=KILL:when=%d", n))
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	lines := bufio.NewScanner(said)
	if !lines.Scan() || !strings.Contains(lines.Text(), "attached") {
		t.Fatalf("strace says %q", lines.Text())
	}
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, said)
		_ = cmd.Wait() // it ends with the node
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}
}

func (e *employed) frozen() {
	t := e.t
	t.Helper()
	p := e.proposes("acme", 120_000, "--unsigned")
	e.held(p, e.boris, e.vault)
	e.ana.Run("freeze", walletName, "--reason", "my phone is gone").OK(t)
	e.says(p, "deny", "frozen", "denies it: ")
	e.boris.Run("approve", p.Proposal, "--allow", "frozen", "--yes").OK(t)
	e.ana.Run("unfreeze", walletName, "--yes").OK(t)
	world.Eventually(t, "vault holds the approval and one vote for lifting", func() bool {
		f := e.vault.Wallet().Freezes
		return len(f) == 1 && len(f[0].Lifts) == 1 && approvals(e.vault, p.Proposal)["boris"] == 1
	})
	e.says(p, "deny", "frozen", "denies it: ")
	e.charged("frozen")
	world.Eventually(t, "boris is for lifting it", func() bool {
		e.boris.Run("unfreeze", walletName, "--yes").OK(t)
		return len(e.boris.Wallet().Freezes) == 0
	})
	e.signs(p, 120_000)
	e.charged("lifted")
}

// restored loses the robot's machine. What comes back from an older backup signs nothing while
// it may have signed what it has not heard of: until it has heard everybody.
func (e *employed) restored(backup, peer string) {
	t := e.t
	t.Helper()
	e.vault.Kill()
	if err := os.RemoveAll(e.vault.Dir); err != nil {
		t.Fatal(err)
	}
	e.boris.Stop()
	ask[ops.RestoreResult](e.vault, "restore", backup, "--passphrase-file", world.PassFile, "--expect", peer)
	e.vault.Start().Synced()
	p := e.proposes("acme", 130_000)
	e.held(p, e.vault)
	var r api.Robot
	world.Eventually(t, "the restored robot has heard ana", func() bool {
		r = ask[api.Robot](e.vault, "robot", "status")
		return r.Heard == 1
	})
	if r.Mode != "sign" || r.Silent == nil || r.Silent.Code != "restored_unsynced" {
		t.Errorf("restored, it has heard one of two: %+v", r)
	}
	if a := approvals(e.vault, p.Proposal); a["vault"] != 0 {
		t.Errorf("restored, it has heard one of two, and signed: %v", a)
	}
	e.boris.Start().Synced()
	e.signs(p, 130_000)
	e.charged("restored")
	shown, err := e.vault.Client.Robot(context.Background(), walletName)
	if err != nil || shown.Silent != nil || shown.Policy == nil || shown.Policy.Title != "Suppliers" {
		t.Errorf("restored, it has heard all: %+v, %v", shown, err)
	}
	e.mined()
	e.charged("restored and mined")
}
