package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// hwiStandIn is a program `hwi` for the tests, as a script: it answers enumerate
// and signtx from files, and keeps what it was given. What it answers to signtx
// is made between two calls, by a key that only the test has.
type hwiStandIn struct {
	t   testing.TB
	dir string
}

func newHWIStandIn(t testing.TB) *hwiStandIn {
	t.Helper()
	h := &hwiStandIn{t, t.TempDir()}
	h.write("hwi", `#!/bin/sh
[ "$1 $2" = "--chain regtest" ] || { echo '{"error":"of which network?","code":-1}'; exit 1; }
if [ "$3" = enumerate ]; then cat '`+h.dir+`/enumerate'; exit 0; fi
sed -n '1s/^signtx //p' >'`+h.dir+`/asked'
echo asked >>'`+h.dir+`/log'
while ! [ -e '`+h.dir+`/answer' ]; do sleep 0.05; done
cat '`+h.dir+`/answer'
rm '`+h.dir+`/answer'
`)
	if err := os.Chmod(filepath.Join(h.dir, "hwi"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hwiStandIn) write(name, content string) {
	h.t.Helper()
	// Whole at once: the script looks for it while it is written.
	tmp := filepath.Join(h.dir, name+".new")
	if err := os.WriteFile(tmp, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(h.dir, name)); err != nil {
		h.t.Fatal(err)
	}
}

// approve runs `approve --hwi` with the stand-in on PATH.
func (h *hwiStandIn) approve(n *node, proposal string) answer {
	h.t.Helper()
	cmd := n.Command("--json", "approve", proposal, "--hwi")
	cmd.Env = append(nodes.Environ(), "PATH="+h.dir+":"+os.Getenv("PATH"))
	return n.Finish(cmd, "")
}

// signs waits until the device is asked, and answers with what a key signs.
func (h *hwiStandIn) signs(k *coldKey) {
	asked := filepath.Join(h.dir, "asked")
	world.Eventually(h.t, "the device is asked", func() bool {
		b, err := os.ReadFile(asked)
		return err == nil && strings.HasSuffix(string(b), "\n")
	})
	signed := filepath.Join(h.dir, "signed")
	k.sign(asked, signed)
	raw, err := os.ReadFile(signed)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := json.Marshal(map[string]any{"psbt": base64.StdEncoding.EncodeToString(raw), "signed": true})
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("answer", string(answer))
}

func TestApproveOnAUSBDevice(t *testing.T) {
	k := newColdKey(t, 24)
	a, b := newNode(t, "a").Start(), newNode(t, "b").Start()
	g := world.Group(t, a, b)
	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "2")
	g.ID = made.Wallet
	read[api.WalletSummary](t, b.RunWith(made.Invites[0], "wallet", "join", "-", "--external", k.key.String(), "--unproven"))
	proven(g, "--accept-unproven")
	g.Fund(10_000_000)
	p := ask[api.Proposed](a.Synced(), pay(t, 5_000_000)...)
	b.Synced().Reaches(p.Proposal, api.StatusPending)

	h := newHWIStandIn(t)
	refused := func(code string, status int) {
		t.Helper()
		r := h.approve(b, p.Proposal)
		if r.Status != status || !strings.Contains(string(r.Out), `"code":"`+code+`"`) || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%s: exit status %d: %s%s", code, r.Status, r.Err, r.Out)
		}
	}
	h.write("enumerate", `[]`)
	refused("no_device", 4)
	h.write("enumerate", `[{"type":"trezor","model":"trezor_1","fingerprint":"00000001"}]`)
	refused("wrong_device", 4)
	h.write("enumerate", `Traceback (most recent call last):`)
	refused("hwi_answer", 1)
	h.write("enumerate", fmt.Sprintf(`[{"type":"coldcard","model":"coldcard","fingerprint":%q}]`, k.fingerprint()))
	h.write("answer", `{"error":"signtx canceled","code":-14}`)
	refused("device_refused", 4)
	h.write("answer", `garbage`)
	refused("hwi_answer", 1)
	if r := b.Run("psbt", "export", p.Proposal); r.Status != 0 {
		t.Error("what the device saw cannot be exported again")
	}
	if err := os.Remove(filepath.Join(h.dir, "asked")); err != nil {
		t.Fatal(err)
	}
	answered := make(chan answer, 1)
	go func() { answered <- h.approve(b, p.Proposal) }()
	h.signs(k)
	shown := read[api.Proposal](t, <-answered)
	if len(shown.Approvals) != 2 {
		t.Errorf("approved: %+v", shown.Approvals)
	}
	world.Confirmed(t, p.Proposal, a, b)
	for _, n := range g.Nodes {
		n.Stop()
	}
}
