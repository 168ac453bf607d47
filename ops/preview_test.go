package ops

import (
	"errors"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
)

// On real nodes: what is shown of a payment takes nothing, and is what is proposed; what
// waits for a cosigner is listed until it is signed, page by page.
func TestWhatIsShownAndWhatWaits(t *testing.T) {
	d, w := newGroup(t, 2, 2)
	ctx, alice, bob := t.Context(), d.nodes[0], d.nodes[1]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	code := func(err error) string {
		var e *api.Error
		if !errors.As(err, &e) {
			return ""
		}
		return e.Code
	}
	to, err := demoRecipient(7)
	if err != nil {
		t.Fatal(err)
	}
	r := api.Propose{To: []api.Recipient{{Address: to, Amount: 1_000_000}}, FeeRate: 5, Note: "rent", Expires: 3600}
	shown, err := alice.Preview(ctx, w.Wallet, r)
	if err != nil || shown.Draft == nil || !shown.Signs || shown.Sends != 1_000_000 || shown.Threshold != 2 || len(shown.Inputs) == 0 {
		t.Fatalf("%+v, %v", shown, err)
	}
	if page, err := alice.Proposals(ctx, w.Wallet, api.ProposalQuery{}); err != nil || len(page.Items) != 0 {
		t.Fatalf("a preview proposed %+v, %v", page.Items, err)
	}
	coins, err := alice.Coins(ctx, w.Wallet)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range coins {
		if c.LeasedBy != nil {
			t.Errorf("a preview leased %+v", c)
		}
	}
	r.Draft = *shown.Draft
	other := r
	other.FeeRate = 6
	if _, err := alice.Propose(ctx, w.Wallet, other); code(err) != "draft_changed" {
		t.Fatalf("another fee rate than was shown: %v", err)
	}
	made, err := alice.Propose(ctx, w.Wallet, r)
	if err != nil || made.TxID != shown.TxID || made.Fee != shown.Fee {
		t.Fatalf("shown %+v, proposed %+v, %v", shown, made, err)
	}
	r.Draft = ""
	if _, err := alice.Preview(ctx, w.Wallet, api.Propose{To: r.To, FeeRate: 5}); code(err) != "possible_double_payment" {
		t.Fatalf("what would be refused is shown: %v", err)
	}

	// Three more, which are not signed by alice: they wait for her, and all for bob.
	for i := range 3 {
		to, err := demoRecipient(20 + i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := alice.Propose(ctx, w.Wallet, api.Propose{To: []api.Recipient{{Address: to, Amount: 50_000}}, FeeRate: 5, Unsigned: true, Coins: []string{coins[0].OutPoint}}); err != nil {
			t.Fatal(err)
		}
	}
	all := func(n *app.Node, limit int) (out []api.Pending, err error) {
		for q := (api.PendingQuery{Limit: limit}); ; {
			page, err := n.Pending(ctx, q)
			if err != nil || len(page.Items) > limit {
				return out, errors.Join(err, errors.New("a page is too long"))
			}
			out = append(out, page.Items...)
			if page.Next == "" {
				return out, nil
			}
			q.Cursor = string(page.Next)
		}
	}
	if err := d.untilOn(ctx, bob, "what waits for bob", func(n *app.Node) (bool, error) {
		page, err := n.Pending(ctx, api.PendingQuery{})
		return len(page.Items) == 4, err
	}); err != nil {
		t.Fatal(err)
	}
	for limit := 1; limit <= 5; limit++ {
		waits, err := all(bob, limit)
		if err != nil || len(waits) != 4 {
			t.Fatalf("%d a page: %d wait, %v", limit, len(waits), err)
		}
		seen := map[string]bool{}
		for _, x := range waits {
			if x.Kind != api.PendingApprove || x.Proposal == nil || seen[*x.Proposal] || x.Command != "quorate approve "+*x.Proposal || x.WalletName != w.Name {
				t.Errorf("%d a page: %+v", limit, x)
			}
			seen[*x.Proposal] = true
		}
	}
	if waits, err := all(alice, 50); err != nil || len(waits) != 3 {
		t.Errorf("%d wait for who signed one of four, %v", len(waits), err)
	}
	if s, err := bob.Status(ctx); err != nil || s.PendingCount != 4 {
		t.Errorf("status counts %d, %v", s.PendingCount, err)
	}
	if _, err := bob.Approve(ctx, made.Proposal, api.Approve{TxID: strings.Repeat("ab", 32)}); code(err) != "draft_changed" {
		t.Errorf("another transaction than was shown: %v", err)
	}
	if _, err := bob.Approve(ctx, made.Proposal, api.Approve{TxID: made.TxID}); err != nil {
		t.Fatal(err)
	}
	if waits, err := all(bob, 50); err != nil || len(waits) != 3 {
		t.Errorf("%d wait after an approval, %v", len(waits), err)
	}
	if _, err := bob.Pending(ctx, api.PendingQuery{Cursor: "odd"}); code(err) != "bad_cursor" {
		t.Errorf("an odd cursor: %v", err)
	}

	// Addresses: those that were paid, and one that was handed out.
	label := api.SetLabels{}
	a, err := alice.NewAddress(ctx, w.Wallet, api.NewAddress{})
	if err != nil {
		t.Fatal(err)
	}
	label.Labels = []api.SetLabel{{Ref: a.Address, Label: "shop"}}
	if _, err := alice.SetLabels(ctx, w.Wallet, label); err != nil {
		t.Fatal(err)
	}
	page, err := alice.Addresses(ctx, w.Wallet, api.AddressQuery{})
	if err != nil || len(page.Items) < 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	used := 0
	for _, x := range page.Items {
		switch {
		case x.Used && (x.Received <= 0 || x.PaymentCount == 0):
			t.Errorf("used by nothing: %+v", x)
		case x.Used:
			used++
		case x.Address == a.Address && (x.Label != "shop" || x.HandedOutBy == nil || x.HandedOutBy.Name != "alice" || x.Received != 0):
			t.Errorf("handed out: %+v", x)
		}
	}
	unused, err := alice.Addresses(ctx, w.Wallet, api.AddressQuery{Unused: true, Limit: 1})
	if err != nil || used == 0 || len(unused.Items) != 1 || unused.Items[0].Used {
		t.Errorf("%d are used; unused: %+v, %v", used, unused, err)
	}
}

// All that can be spent goes, on real nodes, and nothing comes back.
func TestAllIsSentOnRealNodes(t *testing.T) {
	d, w := newGroup(t, 1, 1)
	ctx, n := t.Context(), d.nodes[0]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	before, err := n.Wallet(ctx, w.Wallet)
	if err != nil {
		t.Fatal(err)
	}
	to, err := demoRecipient(9)
	if err != nil {
		t.Fatal(err)
	}
	r := api.Propose{To: []api.Recipient{{Address: to, All: true}}, FeeRate: 5, RequestID: "sweep"}
	p, err := n.Propose(ctx, w.Wallet, r)
	if err != nil {
		t.Fatal(err)
	}
	x, err := n.Proposal(ctx, p.Proposal)
	if err != nil || len(x.Outputs) != 1 || x.Outputs[0].Amount != before.Balance.Spendable-p.Fee || p.Change != 0 {
		t.Fatalf("of %+v: %+v, %v", before.Balance, x, err)
	}
	if again, err := n.Propose(ctx, w.Wallet, r); err != nil || again.Proposal != p.Proposal {
		t.Errorf("a repeat is %+v, %v", again, err)
	}
	r.To[0] = api.Recipient{Address: to, Amount: x.Outputs[0].Amount}
	if _, err := n.Propose(ctx, w.Wallet, r); err == nil {
		t.Error("another request under the same id is taken")
	}
}

// Of each payee it is said whether it is the wallet itself, or another wallet of this node.
func TestWhoseAddressesArePaid(t *testing.T) {
	d, w := newGroup(t, 2, 2)
	ctx, alice := t.Context(), d.nodes[0]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	made, err := alice.CreateWallet(ctx, api.CreateWallet{Name: "savings", Threshold: 1, Cosigners: 1})
	if err != nil {
		t.Fatal(err)
	}
	second, err := alice.Wallet(ctx, made.Wallet)
	if err != nil || second.Words == nil {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := alice.RatifyWallet(ctx, made.Wallet, api.RatifyWallet{Words: *second.Words}); err != nil {
		t.Fatal(err)
	}
	saved, err := alice.NewAddress(ctx, made.Wallet, api.NewAddress{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := alice.NewAddress(ctx, w.Wallet, api.NewAddress{})
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := demoRecipient(7)
	if err != nil {
		t.Fatal(err)
	}
	r := api.Propose{FeeRate: 5, Unsigned: true}
	for _, to := range []string{saved.Address, own.Address, stranger} {
		r.To = append(r.To, api.Recipient{Address: to, Amount: 100_000})
	}
	check := func(outs []api.TxOutput, node, owner string) {
		t.Helper()
		for _, o := range outs {
			name := ""
			if o.OwnedBy != nil {
				name = o.OwnedBy.Name
			}
			if want := o.Change || o.Address == own.Address; o.Own != want {
				t.Errorf("%s: %s is own: %v", node, o.Address, o.Own)
			}
			if want := map[string]string{saved.Address: owner}[o.Address]; name != want {
				t.Errorf("%s: %s is of wallet %q, want %q", node, o.Address, name, want)
			}
		}
	}
	shown, err := alice.Preview(ctx, w.Wallet, r)
	if err != nil || len(shown.Outputs) != 4 {
		t.Fatalf("%+v, %v", shown, err)
	}
	check(shown.Outputs, "alice", "savings")
	p, err := alice.Propose(ctx, w.Wallet, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.until(ctx, "the proposal", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, p.Proposal)
		if err != nil {
			return false, nil
		}
		check(x.Outputs, "a node", map[bool]string{true: "savings"}[n == alice])
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
}
