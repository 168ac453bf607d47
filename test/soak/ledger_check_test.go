package soak_test

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/api"
)

// What a soak holds to be lost, repeated and different is found when it is so.
func TestLossesAreFound(t *testing.T) {
	l := newLedger()
	l.tries("a", "voted")
	sound := []api.Proposal{
		{Proposal: "made", Inputs: api.List[api.TxInput]{{}}, Approvals: api.List[api.Approval]{{Cosigner: api.Person{Name: "a"}, Signatures: 1}}},
		{Proposal: "no", Rejections: api.List[api.Rejection]{{Cosigner: api.Person{Name: "a"}}}},
		{Proposal: "voted"}, {Proposal: "back", Status: "withdrawn"}, {Proposal: "late", Status: api.StatusConfirmed},
	}
	acks := []ack{
		{What: proposing, Node: "a", Proposal: "made"}, {What: approval, Node: "a", Proposal: "made"},
		{What: rejection, Node: "a", Proposal: "no"}, {What: rejection, Node: "a", Proposal: "voted"},
		{What: withdrawal, Node: "a", Proposal: "back"}, {What: withdrawal, Node: "a", Proposal: "late"},
		{What: leasing, Node: "a", Index: 1},
	}
	if got := l.lost(acks, sound); len(got) > 0 {
		t.Errorf("lost where all is there: %q", got)
	}
	for name, spoil := range map[string]func(p []api.Proposal) []api.Proposal{
		"a proposal is gone":          func(p []api.Proposal) []api.Proposal { return p[:4] },
		"an approval is gone":         func(p []api.Proposal) []api.Proposal { p[0].Approvals = nil; return p },
		"a signature is gone":         func(p []api.Proposal) []api.Proposal { p[0].Inputs = append(p[0].Inputs, api.TxInput{}); return p },
		"a rejection is another's":    func(p []api.Proposal) []api.Proposal { p[1].Rejections[0].Cosigner.Name = "b"; return p },
		"what was withdrawn is alive": func(p []api.Proposal) []api.Proposal { p[3].Status = api.StatusPending; return p },
	} {
		p := slices.Clone(sound)
		p[1].Rejections = slices.Clone(p[1].Rejections)
		if got := l.lost(acks, spoil(p)); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := unleased(acks, func(uint32) []string { return []string{"b", "a"} }); len(got) > 0 {
		t.Errorf("lease lost: %q", got)
	}
	if got := unleased(acks, func(uint32) []string { return []string{"b"} }); len(got) != 1 {
		t.Errorf("a lost lease is not found: %q", got)
	}
}

func TestRepetitionsAreFound(t *testing.T) {
	l := newLedger()
	q := l.request("a", func(int) request { return request{Body: api.Propose{To: []api.Recipient{{Address: "x", Amount: 5}}}} })
	if got, ok := l.unanswered("a"); !ok || got.Body.RequestID != q.Body.RequestID {
		t.Errorf("the open request is %+v", got)
	}
	for _, c := range []struct{ proposal, want string }{{"one", ""}, {"one", ""}, {"two", "one"}} {
		if got := l.proposed("a", q, api.Proposed{Proposal: c.proposal}); got != c.want {
			t.Errorf("answer %s: before it %q, want %q", c.proposal, got, c.want)
		}
	}
	if _, ok := l.unanswered("a"); ok {
		t.Error("an answered request is open")
	}
	if got := len(l.all()); got != 2 {
		t.Errorf("%d acknowledged, want the proposal and its approval", got)
	}
	if got := twice([]api.Proposal{{Note: "x 1", Proposal: "p"}, {Note: "x 2", Proposal: "q"}}); len(got) > 0 {
		t.Errorf("repeated: %q", got)
	}
	if got := twice([]api.Proposal{{Note: "x 1", Proposal: "p"}, {Note: "x 1", Proposal: "q"}}); len(got) != 1 {
		t.Errorf("a repetition is not found: %q", got)
	}
	l.leased(ack{What: leasing, Node: "a", Address: "x"})
	if got := l.leased(ack{What: leasing, Node: "b", Address: "x"}); len(got) != 1 || got[0].Node != "a" {
		t.Errorf("earlier leases: %v", got)
	}
}

func TestDifferencesAreFound(t *testing.T) {
	base := func() view {
		return view{Height: 7, Entries: 3, Coins: []api.Coin{{OutPoint: "x"}}, Proposals: []api.Proposal{{Proposal: "p", Status: "pending"}}, History: []api.HistoryItem{{TxID: "t"}}}
	}
	if d := differ(base(), base()); d != "" {
		t.Errorf("equal views differ: %s", d)
	}
	for name, change := range map[string]func(*view){
		"height": func(v *view) { v.Height++ }, "entries": func(v *view) { v.Entries++ },
		"status": func(v *view) { v.Proposals[0].Status = "final" }, "coin": func(v *view) { v.Coins[0].Amount = 1 },
		"coins": func(v *view) { v.Coins = nil }, "history": func(v *view) { v.History[0].Height = api.Known(int32(1)) },
		"balance": func(v *view) { v.Balance.Leased = 1 }, "descriptor": func(v *view) { v.Descriptor = "d" },
	} {
		v := base()
		change(&v)
		if differ(base(), v) == "" {
			t.Errorf("a difference of %s is not found", name)
		}
	}
}

func TestUglyLines(t *testing.T) {
	for line, want := range map[string]bool{
		"panic: runtime error": true, "WARNING: DATA RACE": true, "fatal error: all goroutines are asleep": true,
		`level=INFO msg="node is running"`: false,
	} {
		if ugly(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}

// Memory is that of processes that have warmed up, and grows within one life.
func TestUsage(t *testing.T) {
	var samples []sample
	for age := int64(0); age < 100; age += 10 {
		samples = append(samples, sample{Age: age, RSS: 10 * age})
	}
	samples = append(samples, sample{Age: 0, RSS: 1}, sample{Age: 40, RSS: 5000})
	u := usageOf(samples)
	if u.RSS != [3]int64{300, 700, 5000} || u.Life != 90 || u.Early != 400 || u.Late != 900 {
		t.Errorf("%+v", u)
	}
	if got := usageOf(samples[:2]); got != (usage{}) {
		t.Errorf("a process that is not warm counts: %+v", got)
	}
}
