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
	g := newGroup(t, 2, 3).fund(1_000_000)
	a, b, c := g.nodes[0], g.nodes[1], g.nodes[2]
	file := filepath.Join(t.TempDir(), "c.age")
	made := ask[ops.BackupResult](c, "backup", file, "--passphrase-file", world.passFile)
	if made.Wallets != 1 || made.Entries == 0 || made.SealedTo != "passphrase" {
		t.Errorf("backup: %+v", made)
	}
	coin := a.coins()[0].OutPoint
	pending := ask[api.Proposed](a, pay(t, 300_000, "--unsigned", "--coin", coin)...).Proposal
	c.reaches(pending, api.StatusPending)
	c.run("approve", pending).ok(t)
	for _, n := range []*node{a, b} {
		n.approvedBy(pending, 1)
	}
	c.kill9()
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}

	restored := ask[ops.RestoreResult](c, "restore", file, "--passphrase-file", world.passFile, "--expect", made.PeerID)
	if restored.Wallets != 1 || restored.Name != "c" {
		t.Errorf("restored: %+v", restored)
	}
	if again := c.run("restore", file, "--passphrase-file", world.passFile); again.status != 4 {
		t.Errorf("restored over a node: exit status %d", again.status)
	}
	c.start().synced()
	c.heardAll()
	c.approvedBy(pending, 1)
	rival := ask[api.Proposed](b, pay(t, 200_000, "--unsigned", "--coin", coin)...).Proposal
	c.reaches(rival, api.StatusPending)
	refused := c.run("approve", rival, "--allow", "restored_unsynced")
	if refused.status != 4 || !bytes.Contains(refused.out, []byte(`"sign_guard"`)) {
		t.Errorf("a conflicting proposal: exit status %d, %s", refused.status, refused.out)
	}
	b.run("approve", pending).ok(t)
	confirmed(t, pending, a, b, c)
	// It goes on as before: what it writes is believed.
	g.fund(400_000)
	next := ask[api.Proposed](c, pay(t, 50_000)...).Proposal
	a.reaches(next, api.StatusPending)
	a.run("approve", next).ok(t)
	confirmed(t, next, a, b, c)
	noEquivocation(t, a, b, c)
}

// again makes the node's data directory anew, from a mnemonic.
func (n *node) again(mnemonic string) {
	n.t.Helper()
	if err := os.RemoveAll(n.dir); err != nil {
		n.t.Fatal(err)
	}
	file := filepath.Join(n.t.TempDir(), "words")
	if err := os.WriteFile(file, []byte(mnemonic+"\n"), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.run("init", "--network", "regtest", "--name", n.name, "--passphrase-file", world.passFile, "--mnemonic-file", file,
		"--set", "listen=/ip4/127.0.0.1/tcp/0", "--set", "chain.backend=core", "--set", "chain.core.url="+world.bitcoin.URL(),
		"--set", "chain.core.user="+world.bitcoin.User, "--set", "chain.core.password=@"+world.rpcFile).ok(n.t)
}

// The same from the seed alone, with an invite of a member who is not the
// founder: a new identity takes the old one's place, reads the history, and
// completes what was pending.
func TestMachineLossWithTheSeedAlone(t *testing.T) {
	const words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	c.again(words)
	g := groupOf(t, 2, a.start(), b.start(), c.start()).fund(1_000_000)
	described := *c.wallet().Descriptor
	coin := a.coins()[0].OutPoint
	pending := ask[api.Proposed](a, pay(t, 300_000, "--unsigned", "--coin", coin)...).Proposal
	c.reaches(pending, api.StatusPending)
	c.run("approve", pending).ok(t)
	for _, n := range []*node{a, b} {
		n.approvedBy(pending, 1)
	}
	old := ask[api.Status](c, "status").PeerID
	online := b.run("wallet", "invite", walletName, "--replace", "c")
	if online.status != 4 || !bytes.Contains(online.out, []byte("member_online")) {
		t.Errorf("a member who is online: exit status %d, %s", online.status, online.out)
	}
	c.kill9()
	c.again(words)
	c.start().synced()
	eventually(t, "b sees that c is gone", func() bool {
		return b.run("wallet", "invite", walletName, "--replace", "c").status == 0
	})
	invite := ask[api.WalletInvites](b, "wallet", "invite", walletName, "--replace", "c").Invites[0]
	// Whoever finds the invite and has another seed gets nothing by it.
	thief := newNode(t, "thief").start()
	found := thief.runWith(invite, "wallet", "join", "-")
	if found.status != 4 || !bytes.Contains(found.out, []byte("no_key")) {
		t.Errorf("without the seed: exit status %d, %s", found.status, found.out)
	}
	if w := ask[api.Page[api.Wallet]](thief, "wallet", "list"); len(w.Items) != 0 {
		t.Errorf("the thief holds %+v", w.Items)
	}

	read[api.WalletSummary](t, c.runWith(invite, "wallet", "join", "-", "--wait"))
	eventually(t, "the new device is a member", func() bool { return c.wallet().State == "active" })
	c.heardAll()
	c.synced()
	fresh := ask[api.Status](c, "status").PeerID
	for _, n := range g.nodes {
		w := n.wallet()
		if w.Descriptor == nil || *w.Descriptor != described {
			t.Errorf("%s has another descriptor", n.name)
		}
		eventually(t, n.name+" shows the new device", func() bool {
			for _, x := range n.wallet().Cosigners {
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
	c.approvedBy(pending, 1)
	rival := ask[api.Proposed](b, pay(t, 200_000, "--unsigned", "--coin", coin)...).Proposal
	c.reaches(rival, api.StatusPending)
	refused := c.run("approve", rival, "--allow", "restored_unsynced")
	if refused.status != 4 || !bytes.Contains(refused.out, []byte(`"sign_guard"`)) {
		t.Errorf("a conflicting proposal: exit status %d, %s", refused.status, refused.out)
	}
	b.run("approve", pending).ok(t)
	confirmed(t, pending, a, b, c)
	g.fund(400_000)
	next := ask[api.Proposed](c, pay(t, 50_000)...).Proposal
	a.reaches(next, api.StatusPending)
	a.run("approve", next).ok(t)
	confirmed(t, next, a, b, c)
	noEquivocation(t, a, b, c)
}

// approvedBy waits until a node counts signatures of so many cosigners.
func (n *node) approvedBy(proposal string, cosigners int) {
	n.t.Helper()
	n.reaches(proposal, api.StatusPending)
	eventually(n.t, n.name+" counts the approvals", func() bool {
		p, err := n.client.Proposal(context.Background(), proposal)
		if err != nil {
			n.t.Fatal(err)
		}
		return len(p.Approvals) == cosigners
	})
}

// heardAll waits until a restored node has heard from every other cosigner.
func (n *node) heardAll() {
	n.t.Helper()
	eventually(n.t, n.name+" has heard from everybody since it was restored", func() bool {
		return n.wallet().Restored == nil
	})
}

func noEquivocation(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		peers, err := n.client.Peers(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if p.Rejects["equivocation"] != 0 {
				t.Errorf("%s flags %s for equivocation", n.name, p.PeerID)
			}
		}
	}
}
