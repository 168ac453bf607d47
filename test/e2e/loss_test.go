package e2e_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// A machine is lost with its disk, after it gave a signature that no backup
// holds. It is restored from a backup, the pending proposal is completed, its
// coin stays guarded, and nobody takes the new incarnation for a forger.
func TestMachineLossWithABackup(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(1_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	file := filepath.Join(t.TempDir(), "c.age")
	made := ask[ops.BackupResult](c, "backup", file, "--passphrase-file", world.PassFile)
	if made.Wallets != 1 || made.Entries == 0 || made.SealedTo != "passphrase" {
		t.Errorf("backup: %+v", made)
	}
	coin := a.Coins()[0].OutPoint
	pending := ask[api.Proposed](a, pay(t, 300_000, "--unsigned", "--coin", coin)...).Proposal
	c.Reaches(pending, api.StatusPending)
	c.Run("approve", pending).OK(t)
	for _, n := range []*node{a, b} {
		approvedBy(n, pending, 1)
	}
	c.Kill()
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}

	restored := ask[ops.RestoreResult](c, "restore", file, "--passphrase-file", world.PassFile, "--expect", made.PeerID)
	if restored.Wallets != 1 || restored.Name != "c" {
		t.Errorf("restored: %+v", restored)
	}
	if again := c.Run("restore", file, "--passphrase-file", world.PassFile); again.Status != 4 {
		t.Errorf("restored over a node: exit status %d", again.Status)
	}
	c.Start().Synced()
	heardAll(c)
	approvedBy(c, pending, 1)
	rival := ask[api.Proposed](b, pay(t, 200_000, "--unsigned", "--coin", coin)...).Proposal
	c.Reaches(rival, api.StatusPending)
	refused := c.Run("approve", rival, "--allow", "restored_unsynced")
	if refused.Status != 4 || !bytes.Contains(refused.Out, []byte(`"sign_guard"`)) {
		t.Errorf("a conflicting proposal: exit status %d, %s", refused.Status, refused.Out)
	}
	b.Run("approve", pending).OK(t)
	world.Confirmed(t, pending, a, b, c)
	// It goes on as before: what it writes is believed.
	g.Fund(400_000)
	next := ask[api.Proposed](c, pay(t, 50_000)...).Proposal
	a.Reaches(next, api.StatusPending)
	a.Run("approve", next).OK(t)
	world.Confirmed(t, next, a, b, c)
	noEquivocation(t, a, b, c)
}

// again makes the node's data directory anew, from a mnemonic.
func again(n *node, mnemonic string) {
	n.T.Helper()
	if err := os.RemoveAll(n.Dir); err != nil {
		n.T.Fatal(err)
	}
	file := filepath.Join(n.T.TempDir(), "words")
	if err := os.WriteFile(file, []byte(mnemonic+"\n"), 0o600); err != nil {
		n.T.Fatal(err)
	}
	n.Init("--mnemonic-file", file)
}

// The same from the seed alone, with an invite of a member who is not the
// founder: a new identity takes the old one's place, reads the history, and
// completes what was pending.
func TestMachineLossWithTheSeedAlone(t *testing.T) {
	const words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	again(c, words)
	g := groupOf(t, 2, a.Start(), b.Start(), c.Start()).Fund(1_000_000)
	described := *c.Wallet().Descriptor
	coin := a.Coins()[0].OutPoint
	pending := ask[api.Proposed](a, pay(t, 300_000, "--unsigned", "--coin", coin)...).Proposal
	c.Reaches(pending, api.StatusPending)
	c.Run("approve", pending).OK(t)
	for _, n := range []*node{a, b} {
		approvedBy(n, pending, 1)
	}
	old := ask[api.Status](c, "status").PeerID
	online := b.Run("wallet", "invite", walletName, "--replace", "c")
	if online.Status != 4 || !bytes.Contains(online.Out, []byte("member_online")) {
		t.Errorf("a member who is online: exit status %d, %s", online.Status, online.Out)
	}
	c.Kill()
	again(c, words)
	c.Start().Synced()
	world.Eventually(t, "b sees that c is gone", func() bool {
		return b.Run("wallet", "invite", walletName, "--replace", "c").Status == 0
	})
	invite := ask[api.WalletInvites](b, "wallet", "invite", walletName, "--replace", "c").Invites[0]
	// Whoever finds the invite and has another seed gets nothing by it.
	thief := newNode(t, "thief").Start()
	found := thief.RunWith(invite, "wallet", "join", "-")
	if found.Status != 4 || !bytes.Contains(found.Out, []byte("no_key")) {
		t.Errorf("without the seed: exit status %d, %s", found.Status, found.Out)
	}
	if w := ask[api.Page[api.Wallet]](thief, "wallet", "list"); len(w.Items) != 0 {
		t.Errorf("the thief holds %+v", w.Items)
	}

	read[api.WalletSummary](t, c.RunWith(invite, "wallet", "join", "-", "--wait"))
	world.Eventually(t, "the new device is a member", func() bool { return c.Wallet().State == "active" })
	heardAll(c)
	c.Synced()
	fresh := ask[api.Status](c, "status").PeerID
	for _, n := range g.Nodes {
		w := n.Wallet()
		if w.Descriptor == nil || *w.Descriptor != described {
			t.Errorf("%s has another descriptor", n.Name)
		}
		world.Eventually(t, n.Name+" shows the new device", func() bool {
			for _, x := range n.Wallet().Cosigners {
				if x.Name == "c" {
					return x.PeerID != nil && *x.PeerID == fresh && x.Replaced == 1
				}
			}
			return false
		})
		if fresh == old {
			t.Fatal("the new device has the old identity")
		}
	}
	approvedBy(c, pending, 1)
	rival := ask[api.Proposed](b, pay(t, 200_000, "--unsigned", "--coin", coin)...).Proposal
	c.Reaches(rival, api.StatusPending)
	refused := c.Run("approve", rival, "--allow", "restored_unsynced")
	if refused.Status != 4 || !bytes.Contains(refused.Out, []byte(`"sign_guard"`)) {
		t.Errorf("a conflicting proposal: exit status %d, %s", refused.Status, refused.Out)
	}
	b.Run("approve", pending).OK(t)
	world.Confirmed(t, pending, a, b, c)
	g.Fund(400_000)
	next := ask[api.Proposed](c, pay(t, 50_000)...).Proposal
	a.Reaches(next, api.StatusPending)
	a.Run("approve", next).OK(t)
	world.Confirmed(t, next, a, b, c)
	noEquivocation(t, a, b, c)
}

// approvedBy waits until a node counts signatures of so many cosigners.
func approvedBy(n *node, proposal string, cosigners int) {
	n.T.Helper()
	n.Reaches(proposal, api.StatusPending)
	world.Eventually(n.T, n.Name+" counts the approvals", func() bool {
		p, err := n.Client.Proposal(context.Background(), proposal)
		if err != nil {
			n.T.Fatal(err)
		}
		return len(p.Approvals) == cosigners
	})
}

// heardAll waits until a restored node has heard from every other cosigner.
func heardAll(n *node) {
	n.T.Helper()
	world.Eventually(n.T, n.Name+" has heard from everybody since it was restored", func() bool {
		return n.Wallet().Restored == nil
	})
}

func noEquivocation(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		peers, err := n.Client.Peers(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if p.Rejects["equivocation"] != 0 {
				t.Errorf("%s flags %s for equivocation", n.Name, p.PeerID)
			}
		}
	}
}
