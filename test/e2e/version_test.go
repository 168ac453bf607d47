package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// oldProgram names a program of the last version, built from its commit.
const oldProgram = "QUORATE_OLD"

// what is read of answers here: other fields have changed with versions.
type (
	madeWallet struct {
		Invites []string `json:"invites"`
	}
	shownWallet struct {
		State   string  `json:"state"`
		Words   *string `json:"words"`
		Balance struct {
			Spendable int64 `json:"spendable"`
		} `json:"balance"`
	}
	shownAddress struct {
		Address string `json:"address"`
	}
	shownProposal struct {
		Proposal string `json:"proposal"`
		Status   string `json:"status"`
	}
)

// ofProgram is a node that another program made and runs, where one is named.
func ofProgram(t testing.TB, name, program string) *node {
	t.Helper()
	return world.New(t, nodes.Config{Name: name, Program: program}).Start()
}

func sees(n *node, proposal string, statuses ...string) {
	n.T.Helper()
	world.Eventually(n.T, fmt.Sprint(n.Name, " sees the proposal ", statuses), func() bool {
		a := n.Run("proposal", "show", proposal)
		if a.Status != 0 {
			return false // it does not hold it yet
		}
		now := read[shownProposal](n.T, a).Status
		for _, s := range statuses {
			if s == now {
				return true
			}
		}
		return false
	})
}

// Nodes of this version and of the last one found a wallet, whoever begins, and
// spend from it: each proposes, and each approves what the other proposed.
func TestTwoVersionsInOneGroup(t *testing.T) {
	old := os.Getenv(oldProgram)
	if old == "" {
		t.Skipf("set %s to a program of the last version, to see it and this one in one group", oldProgram)
	}
	for _, x := range []struct{ name, founder, member string }{{"an old founder", old, ""}, {"an old member", "", old}} {
		t.Run(x.name, func(t *testing.T) {
			a, b := ofProgram(t, "a", x.founder), ofProgram(t, "b", x.member)
			both := []*node{a, b}
			made := ask[madeWallet](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "2")
			b.RunWith(made.Invites[0], "wallet", "join", "-", "--wait").OK(t)
			var words string
			for _, n := range both {
				world.Eventually(t, n.Name+" shows the words", func() bool {
					w := ask[shownWallet](n, "wallet", "show", walletName)
					if w.Words == nil {
						return false
					}
					if words == "" {
						words = *w.Words
					}
					if words != *w.Words {
						t.Fatalf("%s shows other words", n.Name)
					}
					return true
				})
			}
			for _, n := range both {
				n.Run("wallet", "ratify", walletName, "--words", words).OK(t)
			}
			wait := func(what string, holds func(shownWallet) bool) {
				t.Helper()
				for _, n := range both {
					world.Eventually(t, n.Name+": "+what, func() bool { return holds(ask[shownWallet](n, "wallet", "show", walletName)) })
				}
			}
			wait("the wallet is active", func(w shownWallet) bool { return w.State == "active" })
			var amount int64
			for _, n := range both {
				world.PayTo(t, ask[shownAddress](n, "address", walletName).Address, 5_000_000)
				amount += 5_000_000
			}
			world.Mine(t, 1)
			wait("the deposits are spendable", func(w shownWallet) bool { return w.Balance.Spendable == amount })
			for i, n := range both {
				other := both[1-i]
				p := ask[shownProposal](n, pay(t, 2_000_000)...).Proposal
				sees(other, p, api.StatusPending)
				other.Run("approve", p).OK(t)
				for _, n := range both {
					sees(n, p, api.StatusFinal, api.StatusBroadcast)
				}
				world.Mine(t, 1)
				for _, n := range both {
					sees(n, p, api.StatusConfirmed)
				}
			}
			// Each takes up what the other wrote while it was away.
			for i, n := range both {
				other := both[1-i]
				n.Kill()
				p := ask[shownProposal](other, pay(t, 1_000_000)...).Proposal
				n.Start()
				sees(n, p, api.StatusPending)
				world.Eventually(t, n.Name+" approves", func() bool { return n.Run("approve", p).Status == 0 }) // once it is synced
				sees(other, p, api.StatusFinal, api.StatusBroadcast)
				world.Mine(t, 1)
				sees(n, p, api.StatusConfirmed)
			}
			upgraded(t, both, x.member == old)
		})
	}
}

// upgraded has this version take up what the old one stored, and a backup that it made: all
// is as it was, and the group spends on.
func upgraded(t *testing.T, both []*node, second bool) {
	t.Helper()
	i := 0
	if second {
		i = 1
	}
	was, other := both[i], both[1-i]
	// What an older node does not know is not written for it.
	last := ask[shownProposals](other, "proposals", walletName).Items[0].Proposal
	if got := other.Run("comment", last, "why?"); got.Status == 0 || !strings.Contains(string(got.Out), "members_outdated") {
		t.Errorf("a comment that the other node does not know: exit status %d, %s", got.Status, got.Out)
	}
	statuses := func(n *node) (out []string) {
		for _, p := range ask[shownProposals](n, "proposals", walletName).Items {
			out = append(out, p.Proposal+" "+p.Status)
		}
		return out
	}
	before := statuses(was)
	backup := filepath.Join(t.TempDir(), "old.age")
	was.Run("backup", backup, "--passphrase-file", world.PassFile).OK(t)
	was.Stop()
	now := world.At(t, nodes.Config{Name: was.Name, Dir: was.Dir})
	client, err := api.Dial(was.Dir)
	if err != nil {
		t.Fatal(err)
	}
	now.Client = client
	defer client.Close()
	now.Start()
	world.Eventually(t, "the store of the last version is read", func() bool { return slices.Equal(statuses(now), before) })
	world.Eventually(t, "the other node knows what this one knows", func() bool { return other.Run("comment", last, "why?").Status == 0 })
	p := ask[shownProposal](other, pay(t, 500_000)...).Proposal
	sees(now, p, api.StatusPending)
	world.Eventually(t, "it approves", func() bool { return now.Run("approve", p).Status == 0 })
	sees(other, p, api.StatusFinal, api.StatusBroadcast)
	world.Mine(t, 1)
	sees(now, p, api.StatusConfirmed)
	now.Stop()

	again := world.At(t, nodes.Config{Name: was.Name, Dir: filepath.Join(t.TempDir(), "restored")})
	again.Run("restore", backup, "--keep-config", "--passphrase-file", world.PassFile).OK(t)
	if again.Client, err = api.Dial(again.Dir); err != nil {
		t.Fatal(err)
	}
	defer again.Client.Close()
	again.Start()
	sees(again, p, api.StatusConfirmed)
	again.Stop()
	other.Stop()
}

type shownProposals struct {
	Items []shownProposal `json:"items"`
}
