package ops

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
)

// On real nodes: what was done is listed as it was, and what one of them exports holds
// for somebody who has no node.
func TestLogOfRealNodes(t *testing.T) {
	d, w := newGroup(t, 2, 3)
	ctx, alice, bob := t.Context(), d.nodes[0], d.nodes[1]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	var made []api.Proposed
	for i := range 2 {
		to, err := demoRecipient(30 + i)
		if err != nil {
			t.Fatal(err)
		}
		x, err := alice.Propose(ctx, w.Wallet, api.Propose{To: []api.Recipient{{Address: to, Amount: 1_000_000, Label: "rent"}}, FeeRate: 5})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, x)
	}
	d.wait(t, "both proposals at bob", func(*app.Node) (bool, error) {
		page, err := bob.Proposals(ctx, w.Wallet, api.ProposalQuery{})
		return len(page.Items) == 2, err
	})
	if _, err := bob.Approve(ctx, made[0].Proposal, api.Approve{}); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Reject(ctx, made[1].Proposal, api.Reject{Reason: "not ours"}); err != nil {
		t.Fatal(err)
	}
	var of []api.LogEntry
	d.wait(t, "the votes at all", func(n *app.Node) (bool, error) {
		a, err := n.Log(ctx, w.Wallet, api.LogQuery{Proposal: made[0].Proposal})
		b, err2 := n.Log(ctx, w.Wallet, api.LogQuery{Kinds: []string{"rejected"}})
		of = a.Items
		return len(a.Items) == 3 && len(b.Items) == 1 && b.Items[0].Proposal == api.Text(made[1].Proposal), errors.Join(err, err2)
	})
	kinds := []string{}
	for _, x := range of {
		kinds = append(kinds, string(x.Kind))
		if x.Tainted || x.Inert != "" || x.Unread != "" || x.Time == nil || x.By.PeerID == nil {
			t.Errorf("%+v", x)
		}
	}
	if !slices.Equal(kinds, []string{"approved", "approved", "proposed"}) {
		t.Errorf("%v", kinds)
	}
	code := func(err error) string {
		var e *api.Error
		if !errors.As(err, &e) {
			return ""
		}
		return e.Code
	}
	for want, q := range map[string]api.LogQuery{
		"bad_cursor": {Cursor: "odd"}, "bad_kind": {Kinds: []string{"sung"}}, "unknown_cosigner": {By: "mallory"}, "unknown_proposal": {Proposal: "ffffff"},
	} {
		if _, err := alice.Log(ctx, w.Wallet, q); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for name, x := range map[string]struct {
		r         api.ExportLog
		keys      bool
		proposals int
	}{
		"everything":   {api.ExportLog{}, true, 2},
		"one proposal": {api.ExportLog{Proposals: []string{made[0].Proposal}}, true, 1},
		"without keys": {api.ExportLog{WithoutKeys: true}, false, 2},
	} {
		var file bytes.Buffer
		if err := bob.ExportLog(ctx, w.Wallet, x.r, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, err := VerifyLog(bytes.NewReader(file.Bytes()), true)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.Wallet != w.Wallet || v.Keys != x.keys || len(v.Proposals) != x.proposals || len(v.Log) != v.Entries || v.Entries != v.Opened+sealedIn(v) {
			t.Errorf("%s: %+v", name, v)
		}
		for _, p := range v.Proposals {
			switch p.Proposal {
			case made[0].Proposal:
				if x.keys && (p.Status != api.StatusFinal || len(p.Approvals) != 2 || string(p.TxID) != made[0].TxID) {
					t.Errorf("%s: %+v", name, p)
				}
			case made[1].Proposal:
				if x.keys && (p.Status != api.StatusPending || len(p.Approvals) != 1 || len(p.Rejections) != 1 || p.Rejections[0].Reason != "not ours") {
					t.Errorf("%s: %+v", name, p)
				}
			}
		}
		if code(bob.ExportLog(ctx, w.Wallet, api.ExportLog{Proposals: []string{"ffffff"}}, &file)) != "unknown_proposal" {
			t.Errorf("%s: an unknown proposal is exported", name)
		}
	}
}

func sealedIn(v LogProof) (n int) {
	for _, s := range v.Sealed {
		n += s.Count
	}
	return n
}
