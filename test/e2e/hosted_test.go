package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// A 2-of-3 of two nodes, and a cosigner who has a device and no node: its key
// counts like any other, whoever's node takes the file in, and the host is killed
// meanwhile.
func TestHostedCosigner(t *testing.T) {
	hal := newColdKey(t, 31)
	a, b := newNode(t, "a").Start(), newNode(t, "b").Start()
	nodes := []*node{a, b}
	g := world.Group(t, nodes...)
	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "3")
	g.ID = made.Wallet
	read[api.WalletSummary](t, b.RunWith(made.Invites[0], "wallet", "join", "-", "--wait"))

	if r := b.Run("wallet", "host", g.ID, "Hal", "--external", "xpub"); r.Status != 4 {
		t.Errorf("no key: exit status %d: %s", r.Status, r.Err)
	}
	hosted := ask[api.WalletSummary](b, "wallet", "host", g.ID, "Hal", "--external", hal.key.String())
	if len(hosted.AwaitingHosted) != 1 || hosted.AwaitingHosted[0].Name != "Hal" || hosted.AwaitingHosted[0].Key == nil || hosted.State != "forming" {
		t.Fatalf("%+v", hosted)
	}
	b.Kill() // it waits across a crash
	b.Start()
	dir := t.TempDir()
	asked, answered := filepath.Join(dir, "proof.psbt"), filepath.Join(dir, "proof-signed.psbt")
	ask[api.Proof](b, "wallet", "proof", g.ID, "--for", "Hal", "--format", "psbt", "-o", asked)
	hal.sign(asked, answered)
	if r := a.Run("wallet", "prove", g.ID, "--for", "Hal", answered); r.Status != 4 {
		t.Errorf("at a node that does not host: exit status %d: %s", r.Status, r.Err)
	}
	ask[api.WalletSummary](b, "wallet", "prove", g.ID, "--for", "Hal", answered)

	words := ""
	for _, n := range nodes {
		world.Eventually(t, n.Name+" shows the words", func() bool {
			w := n.Wallet()
			if w.Words != nil {
				words = *w.Words
			}
			return w.Words != nil
		})
	}
	if r := a.Run("wallet", "ratify", walletName, "--words", words); r.Status != 4 || !strings.Contains(r.Err, "Hal (by b)") {
		t.Errorf("a cosigner without a node was taken unseen: exit status %d: %s", r.Status, r.Err)
	}
	ask[api.Ratified](a, "wallet", "ratify", walletName, "--words", words, "--accept-hosted")
	ask[api.Ratified](b, "wallet", "ratify", walletName, "--words", words)
	for _, n := range nodes {
		if w := n.Wallet(); w.State == "active" {
			t.Fatalf("%s: active before Hal ratified", n.Name)
		}
	}
	ask[api.Ratified](b, "wallet", "ratify", walletName, "--words", words, "--for", "Hal")
	g.Agree("the wallet is active", func(w api.Wallet) any {
		if w.State != "active" || w.Descriptor == nil {
			return nil
		}
		return *w.Descriptor
	})
	for _, k := range a.Wallet().Cosigners {
		if k.Name == "Hal" && (k.HostedBy == nil || k.HostedBy.Name != "b" || k.HostedBy.PeerID == nil || k.PeerID != nil || k.Key == nil || k.Proof != "psbt" || k.Online || !k.Ratified) || k.Name != "Hal" && (k.HostedBy != nil || k.PeerID == nil) {
			t.Errorf("shown as %+v", k)
		}
	}
	if r := a.Run("wallet", "invite", g.ID, "--replace", "Hal"); r.Status != 4 || !strings.Contains(r.Err, "no node") {
		t.Errorf("a replacement for no node: exit status %d: %s", r.Status, r.Err)
	}

	g.Fund(10_000_000, 20_000_000)
	for _, n := range nodes {
		n.Synced()
	}
	// By the host, which guards what leaves; taken in by the other.
	p := ask[api.Proposed](a, pay(t, 5_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	out, signed := filepath.Join(dir, "1.psbt"), filepath.Join(dir, "1-signed.psbt")
	if x := ask[api.ExportedPSBT](b, "psbt", "export", p.Proposal, "--format", "binary", "-o", out); !x.Guarded {
		t.Errorf("the host let it leave unguarded: %+v", x)
	}
	hal.sign(out, signed)
	got := ask[api.ImportedPSBT](a, "psbt", "import", signed)
	if len(got.Added) != 1 || got.Added[0].Cosigner.Name != "Hal" || got.Added[0].Own {
		t.Fatalf("imported: %+v", got)
	}
	world.Confirmed(t, p.Proposal, nodes...)

	// Every key is asked to show that it is there: the nodes' own answer by themselves, and
	// Hal's by a file. A PSBT of the payment before is no answer.
	world.Eventually(t, "each node knows that the other knows of pings", func() bool { return a.Run("ping", walletName).Status == 0 })
	world.Eventually(t, "the host is told", func() bool {
		for _, x := range ask[api.Page[api.Pending]](b, "pending").Items {
			if x.Kind == api.PendingPing && x.Person != nil && x.Person.Name == "Hal" && strings.HasSuffix(x.Command, "--for Hal") {
				return true
			}
		}
		return false
	})
	ping, pong := filepath.Join(dir, "ping.psbt"), filepath.Join(dir, "ping-signed.psbt")
	ask[api.Pinged](b, "ping", walletName, "--for", "Hal", "--format", "psbt", "-o", ping)
	hal.sign(ping, pong)
	refused(t, b.Run("ping", walletName, signed, "--for", "Hal"), 4, "bad_proof")
	refused(t, a.Run("ping", walletName, pong, "--for", "Hal"), 4, "bad_proof")
	if got := ask[api.Pinged](b, "ping", walletName, pong, "--for", "Hal"); !got.Answered || got.Cosigner.Name != "Hal" || got.AskedBy.Name != "a" || got.Sign != nil {
		t.Errorf("pinged: %+v", got)
	}
	for _, n := range nodes {
		world.Eventually(t, n.Name+" shows that all keys answered", func() bool {
			for _, x := range ask[api.Presence](n, "presence").Members {
				if x.LastPing == nil || x.AskedBy == nil || x.AskedBy.Name != "a" {
					return false
				}
			}
			return true
		})
	}

	// Without the host. What was drawn as QR codes is read from them.
	b.Kill()
	p = ask[api.Proposed](a, pay(t, 6_000_000)...)
	out, signed = filepath.Join(dir, "2.psbt"), filepath.Join(dir, "2-signed.psbt")
	ask[api.ExportedPSBT](a, "psbt", "export", p.Proposal, "-o", out, "--format", "binary")
	drawn := filepath.Join(dir, "codes")
	ask[api.ExportedPSBT](a, "psbt", "export", p.Proposal, "--format", "ur", "--png", drawn)
	if r := a.Run("psbt", "import", drawn); r.Status != 4 || !strings.Contains(r.Err, "no signature") {
		t.Errorf("pictures of an unsigned PSBT: exit status %d: %s", r.Status, r.Err)
	}
	hal.sign(out, signed)
	ask[api.ImportedPSBT](a, "psbt", "import", signed)
	world.Confirmed(t, p.Proposal, a)
	b.Start()
	world.Confirmed(t, p.Proposal, nodes...)
	same(t, a, b, "proposal", "show", p.Proposal)
	for _, n := range nodes {
		n.Stop()
	}
}
