package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
)

// noting is a book whose spans are kept, and a clock that stands.
func noting(t *testing.T) (*Book, *list, *time.Time) {
	t.Helper()
	l, now := &list{}, began
	b, err := newBook(l, Options{Version: "test", Me: "me"})
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return now }
	return b, l, &now
}

func who(id string) api.Person { return api.Person{Name: "name-of-" + id, PeerID: &id} }

// said are the spans since the last time: their names, and how long they took.
func (l *list) said() string {
	var out []string
	for _, s := range l.spans {
		out = append(out, fmt.Sprintf("%s %v", s.Name(), s.EndTime().Sub(s.StartTime())))
	}
	l.spans = nil
	return strings.Join(out, ", ")
}

// From its first sight to its block, on a node of which it is and on another.
func TestTheCourseOfAProposal(t *testing.T) {
	const tx = "ab12"
	for author, want := range map[string][]string{
		"me": {
			"proposal.entered 1s, approval.sign 300ms, approval.release 700ms", "approval.received 2s, proposal.final 1m0s", "broadcast.handed 100ms",
			"", "broadcast.handed 100ms", "mempool.seen 1m0s", "proposal.confirmed 1m0s", "",
		},
		"other": {
			"proposal.received 1s, approval.received 1s", "approval.sign 300ms, approval.release 700ms, proposal.final 1m0s", "broadcast.handed 100ms",
			"", "broadcast.handed 100ms", "mempool.seen 1m0s", "proposal.confirmed 1m0s", "",
		},
	} {
		b, l, now := noting(t)
		p := api.Proposal{Proposal: proposal.String(), TxID: tx, Status: api.StatusPending, Author: who(author), Created: now.Add(-time.Second)}
		sign := func(id string) {
			if id == "me" {
				from := now.Add(-time.Second)
				b.Signed(tx, from, from.Add(300*time.Millisecond), nil)
			}
			p.Approvals = append(p.Approvals, api.Approval{Cosigner: who(id), Time: now.Add(-time.Duration(len(p.Approvals)+1) * time.Second)})
		}
		later := func() { *now = now.Add(time.Minute) }
		hand := func(how string) { b.Handed(tx, how, now.Add(-100*time.Millisecond), *now) }
		second := map[string]string{"me": "other", "other": "me"}[author]
		for i, do := range []func(){
			func() { sign(author); b.Note(p) },
			func() { later(); sign(second); p.Status = api.StatusFinal; b.Note(p) },
			func() { hand("not_seen") },
			func() { hand("not_seen"); b.Note(p) }, // the same again
			func() { hand("node") },
			func() { later(); p.Status = api.StatusBroadcast; b.Note(p) },
			func() { later(); p.Status = api.StatusConfirmed; b.Note(p) },
			func() { later(); b.Note(p) },
		} {
			do()
			if got := l.said(); got != want[i] {
				t.Errorf("by %s, step %d: %q, want %q", author, i, got, want[i])
			}
		}
	}
}

// What was there before a restart is not told again, and what a member claims of the time
// makes no span of years.
func TestWhatIsNotTold(t *testing.T) {
	b, l, now := noting(t)
	p := api.Proposal{Proposal: proposal.String(), TxID: "ab12", Status: api.StatusBroadcast, Author: who("other"), Created: began, Approvals: []api.Approval{{Cosigner: who("other"), Time: began}}}
	b.Note(p)
	if got := l.said(); got != "" {
		t.Errorf("after a restart: %s", got)
	}
	*now = now.Add(time.Hour)
	p.Status = api.StatusConfirmed
	b.Note(p)
	if got := l.said(); got != "proposal.confirmed 1h0m0s" {
		t.Errorf("what comes then: %q", got)
	}
	b.forget()
	p.Status, p.Approvals = api.StatusPending, nil
	b.Note(p)
	*now = now.Add(time.Minute)
	p.Status = api.StatusConfirmed
	b.Note(p)
	if got := l.said(); got != "proposal.received 1h0m0s, proposal.final 1m0s, mempool.seen 0s, proposal.confirmed 0s" {
		t.Errorf("three steps at once: %q", got)
	}
	for _, claims := range []time.Time{{}, time.Unix(0, 0), now.Add(-25 * time.Hour), now.Add(time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		b.forget()
		p.Created, p.Status, p.Approvals = claims, api.StatusPending, []api.Approval{{Cosigner: who("other"), Time: claims}}
		b.Note(p)
		if got := l.said(); got != "proposal.received 0s, approval.received 0s" {
			t.Errorf("created at %v: %q", claims, got)
		}
	}
	for _, id := range []string{"", "xyz", "c0ffee", strings.Repeat("c0", 33)} {
		b.Note(api.Proposal{Proposal: id, Status: api.StatusPending})
	}
	b.Signed("other", began, began, errors.New("no"))
	if got := l.said(); got != "" {
		t.Errorf("of no proposal: %s", got)
	}
}

// Whatever number of proposals and transactions there is, a bounded number is remembered.
func TestMemoryIsBounded(t *testing.T) {
	b, l, _ := noting(t)
	for i := range 3 * maxKnown {
		b.Note(api.Proposal{Proposal: journal.EntryID{byte(i), byte(i >> 8), 1}.String(), TxID: fmt.Sprint(i), Status: api.StatusPending})
		b.Signed(fmt.Sprint("x", i), began, began, nil)
		b.Handed(fmt.Sprint("y", i), "node", began, began)
		for range 20 {
			b.Handed("z", fmt.Sprint(i), began, began)
		}
		l.spans = nil
		if n := max(len(b.known), len(b.byTx), len(b.parked), len(b.signed), len(b.handed)); n > maxKnown+1 || len(b.parked["z"]) > 8 {
			t.Fatalf("%d are remembered, %d of one", n, len(b.parked["z"]))
		}
	}
}

// A canary: nothing of what a proposal says of money or people is in any span.
func TestNoSpanHoldsASecret(t *testing.T) {
	b, l, now := noting(t)
	fee, me := int64(471100), who("me")
	p := api.Proposal{
		Proposal: proposal.String(), Wallet: "walletcanary", WalletName: "namecanary", Author: who("me"), Status: api.StatusPending, TxID: "txcanary", Note: "notecanary", Fee: fee, FeeRate: 4711.5,
		Inputs:    []api.TxInput{{OutPoint: "incanary:0", Amount: 987654321, Address: "bcrt1qcanary"}},
		Outputs:   []api.TxOutput{{Address: "bcrt1qcanary", Amount: 123456789, Label: "labelcanary"}},
		Approvals: []api.Approval{{Cosigner: me, Time: began}}, Rejections: []api.Rejection{{Cosigner: who("other"), Reason: "reasoncanary"}},
		HeldBy: []api.Person{me}, Created: began,
	}
	for _, status := range []string{api.StatusPending, api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed} {
		p.Status = status
		b.Signed(p.TxID, began, *now, nil)
		b.Handed(p.TxID, "node", began, *now)
		b.Note(p)
	}
	if len(l.spans) < 6 {
		t.Fatalf("%d spans", len(l.spans))
	}
	body, err := otlpOf(l.spans)
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for _, secret := range []string{"canary", "name-of", "4711", "987654321", "123456789", `"me"`, "bcrt1", proposal.String()[:13]} {
		if strings.Contains(text, secret) {
			t.Errorf("the spans hold %s: %s", secret, text)
		}
	}
	for _, s := range l.spans {
		for _, kv := range s.Attributes() {
			if !slices.Contains([]string{"quorate.proposal", "quorate.failed", "quorate.outcome"}, string(kv.Key)) {
				t.Errorf("%s has the attribute %s", s.Name(), kv.Key)
			}
		}
	}
}
