package policy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func clonePolicy(t interface{ Fatal(...any) }, p *Policy) *Policy {
	q, err := Decode(Encode(p))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// change is one to a policy, and which way it goes: true for one that is tighter or the same.
type change struct {
	name    string
	tighter bool
	do      func(*Policy)
}

func changes() []change {
	require := func(do func(*Require)) func(*Policy) { return func(p *Policy) { do(&p.Rules[0].Require) } }
	return []change{
		// These six come to the same.
		{"nothing", true, func(*Policy) {}},
		{"another title", true, func(p *Policy) { p.Title = "Other" }},
		{"a group by another name", true, func(p *Policy) { p.Groups[1].Name = "money" }},
		{"a recipient by another name", true, func(p *Policy) { p.Recipients[0].Name = "acme gmbh" }},
		{"a rule by another name", true, func(p *Policy) { p.Rules[0].Name = "x" }},
		{"members by themselves instead of a group", true, func(p *Policy) { p.Rules[0].When.Initiators = Who{Keys: KeysOf(0, 1)} }},
		{"a longer change_delay", true, func(p *Policy) { p.ChangeDelay++ }},
		{"a shorter change_delay", false, func(p *Policy) { p.ChangeDelay-- }},
		{"more to hear", true, func(p *Policy) { p.StartQuorum++ }},
		{"fewer to hear", false, func(p *Policy) { p.StartQuorum-- }},
		{"another robot", false, func(p *Policy) { p.Robots = KeysOf(2, 3, 4) }},
		{"fewer robots", false, func(p *Policy) { p.Robots = KeysOf(3); p.Tolerate = 1 }},
		{"more tolerated", false, func(p *Policy) { p.Tolerate++ }},
		{"fewer tolerated", false, func(p *Policy) { p.Tolerate-- }},
		{"a hidden member of a group of when", false, func(p *Policy) { p.Groups[1].Keys |= KeysOf(2) }},
		{"a hidden address of a recipient", false, func(p *Policy) { p.Recipients[0].Addresses = []string{"bc1qa", "bc1qb", "bc1qc"} }},
		{"a further lookahead", false, func(p *Policy) { p.Recipients[0].Lookahead++ }},
		{"a lower limit where nobody is asked", true, func(p *Policy) { p.Rules[0].Else, p.Rules[0].Steps = Deny, nil; p.Meters[0].Limit-- }},
		{"a lower limit that sends to ask", false, func(p *Policy) { p.Meters[0].Limit-- }},
		{"a higher limit", false, func(p *Policy) { p.Rules[0].Else, p.Rules[0].Steps = Deny, nil; p.Meters[0].Limit++ }},
		{"a shorter window", false, func(p *Policy) { p.Meters[0].Window-- }},
		{"a longer window", false, func(p *Policy) { p.Meters[0].Window++ }},
		{"another pool", false, func(p *Policy) { p.Meters[0].Pool++ }},
		{"a meter for others", false, func(p *Policy) { p.Meters[1].Per = PerGroup }},
		{"a meter that is gone", false, func(p *Policy) {
			p.Meters = p.Meters[:1]
			p.Rules[0].Require.Meters = []uint64{0}
		}},
		{"a meter by another name", false, func(p *Policy) { p.Meters[0].Name = "aday" }},
		{"a meter that does not bound", false, require(func(r *Require) { r.Meters = []uint64{0} })},
		{"a lower amount that sends to ask", false, require(func(r *Require) { r.AmountMax-- })},
		{"a higher amount", false, require(func(r *Require) { r.AmountMax++ })},
		{"no amount", false, require(func(r *Require) { r.AmountMax = 0 })},
		{"no fee", false, require(func(r *Require) { r.FeeMax = 0 })},
		{"a higher fee", false, require(func(r *Require) { r.FeeShareMax++ })},
		{"a higher rate", false, require(func(r *Require) { r.FeeRateMax++ })},
		{"more outputs", false, require(func(r *Require) { r.OutputsMax++ })},
		{"no lock time where nobody is asked", true, func(p *Policy) { p.Rules[1].Require.NoLockTime = true }},
		{"no lock time sends to ask", false, require(func(r *Require) { r.NoLockTime = true })},
		{"more confirmations", true, require(func(r *Require) { r.Confirmations++ })},
		{"older coins", true, require(func(r *Require) { r.AgeMin++ })},
		{"a longer delay", true, require(func(r *Require) { r.Delay++ })},
		{"a shorter delay", false, require(func(r *Require) { r.Delay-- })},
		{"one more approval", true, require(func(r *Require) { r.Approvals = append(r.Approvals, Approval{Who{Keys: KeysOf(2)}, 1}) })},
		{"approval of fewer", true, require(func(r *Require) { r.Approvals[0].Of = Who{Keys: KeysOf(0)} })},
		{"approval of others", false, require(func(r *Require) { r.Approvals[0].Of = Who{Keys: KeysOf(2)} })},
		{"one needs more approvals", true, require(func(r *Require) { r.Approvals[0].N = 2 })},
		{"no approval", false, require(func(r *Require) { r.Approvals = nil })},
		{"the initiator counts", false, require(func(r *Require) { r.InitiatorCounts = true })},
		{"fewer hours", true, require(func(r *Require) { r.Hours[0].To-- })},
		{"more hours", false, require(func(r *Require) { r.Hours[0].From-- })},
		{"fewer days", true, require(func(r *Require) { r.Hours[0].Days &^= 1 })},
		{"another day", false, require(func(r *Require) { r.Hours[0].Days = r.Hours[0].Days&^1 | 32 })},
		{"another zone", false, require(func(r *Require) { r.Hours[0].Zone = "Europe/Paris" })},
		{"any hour", false, require(func(r *Require) { r.Hours = nil })},
		{"it denies instead of asking", true, func(p *Policy) { p.Rules[0].Else, p.Rules[0].Steps = Deny, nil }},
		{"it asks instead of denying", false, func(p *Policy) {
			p.Rules[1].Else, p.Rules[1].Steps = Ask, []Step{{Who: Who{Keys: 1}, Within: 5}}
		}},
		{"it asks instead of signing", false, func(p *Policy) { p.Rules[0].Then = Ask }},
		{"it denies", true, func(p *Policy) {
			p.Rules[0] = Rule{Name: p.Rules[0].Name, When: p.Rules[0].When, Then: Deny, Else: Deny}
		}},
		{"it does not deny any more", false, func(p *Policy) { p.Rules[2].Then = Sign }},
		{"a step fewer", true, func(p *Policy) { p.Rules[0].Steps = p.Rules[0].Steps[:1] }},
		{"a step more", false, func(p *Policy) { p.Rules[0].Steps = append(p.Rules[0].Steps, p.Rules[0].Steps[1]) }},
		{"a shorter first step", false, func(p *Policy) { p.Rules[0].Steps[0].Within-- }},
		{"a shorter last step", true, func(p *Policy) { p.Rules[0].Steps[1].Within-- }},
		{"a longer last step", false, func(p *Policy) { p.Rules[0].Steps[1].Within++ }},
		{"fewer answers", false, func(p *Policy) { p.Rules[0].Steps[0].N = 1 }},
		{"more answers", true, func(p *Policy) { p.Rules[0].Steps[0].N = 3 }},
		{"others answer", false, func(p *Policy) { p.Rules[0].Steps[0].Who = Who{Keys: KeysOf(0, 1, 2, 3)} }},
		{"fewer may answer", true, func(p *Policy) { p.Rules[0].Steps[0].Who = Who{Keys: KeysOf(0, 1)} }},
		{"an answer for a smaller amount", true, func(p *Policy) { p.Rules[0].Steps[0].AmountMax-- }},
		{"an answer for any amount", false, func(p *Policy) { p.Rules[0].Steps[0].AmountMax = 0 }},
		{"an answer outside of meters", false, func(p *Policy) { p.Rules[0].Steps[0].Meters = nil }},
		{"an answer within one more meter", true, func(p *Policy) { p.Rules[0].Steps[0].Meters = []uint64{0, 1} }},
		{"no robot signs by an answer", true, func(p *Policy) { s := &p.Rules[0].Steps[0]; s.N, s.AmountMax, s.Meters = 0, 0, nil }},
		{"a robot signs by an answer", false, func(p *Policy) { p.Rules[0].Steps[1].N = 1 }},
		{"a lower amount where no answer makes a robot sign", true, func(p *Policy) {
			s := &p.Rules[0].Steps[0]
			s.N, s.AmountMax, s.Meters = 0, 0, nil
			p.Rules[0].Require.AmountMax--
		}},
		{"no robot signs by the first answer, and the last step is longer", false, func(p *Policy) {
			s := &p.Rules[0].Steps[0]
			s.N, s.AmountMax, s.Meters = 0, 0, nil
			p.Rules[0].Steps[1].Within++
		}},
		{"a rule is gone", false, func(p *Policy) { p.Rules = p.Rules[1:] }},
		{"the last rule is gone", false, func(p *Policy) { p.Rules = p.Rules[:2] }},
		{"rules in another order", false, func(p *Policy) { p.Rules[0], p.Rules[1] = p.Rules[1], p.Rules[0] }},
		{"a deny rule in front", true, func(p *Policy) {
			p.Rules = slices.Insert(p.Rules, 0, Rule{Name: "stop", When: When{Kinds: []Kind{Payment}, Initiators: Who{Keys: 1}}, Then: Deny, Else: Deny})
		}},
		{"another rule in front", false, func(p *Policy) {
			p.Rules = slices.Insert(p.Rules, 0, Rule{Name: "go", When: When{Kinds: []Kind{Payment}, Initiators: Who{Keys: 1}}, Then: Sign, Else: Deny})
		}},
		{"another rule behind all", false, func(p *Policy) {
			p.Rules = append(p.Rules, Rule{Name: "go", When: When{Kinds: []Kind{Sweep}}, Then: Sign, Else: Deny})
		}},
		{"for fewer kinds", false, func(p *Policy) { p.Rules[1].When.Kinds = []Kind{Cancel} }},
		{"for other labels", false, func(p *Policy) { p.Rules[1].When.Labels.Any = []string{"dust"} }},
		{"for labels of others", false, func(p *Policy) { p.Rules[1].When.Labels.By = Who{Keys: KeysOf(0)} }},
	}
}

// Each change by itself is told for what it is.
func TestTighter(t *testing.T) {
	old, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range changes() {
		p := clonePolicy(t, old)
		c.do(p)
		got, found := Tighter(old, p, testNames)
		if got != c.tighter {
			t.Errorf("%s: tighter is %v: %+v", c.name, got, found)
		}
		for _, d := range found {
			if d.Mark == MarkLooser && got || d.Text == "" {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
		// What comes to the same is tighter both ways, all else one way at most.
		if back, why := Tighter(p, old, testNames); back != (i < 6) && got {
			t.Errorf("%s: undone it is %v: %+v", c.name, back, why)
		}
	}
}

// What people read of each change, and of undoing it.
func TestTighterWords(t *testing.T) {
	old, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range changes() {
		p := clonePolicy(t, old)
		c.do(p)
		_, there := Tighter(old, p, testNames)
		_, back := Tighter(p, old, testNames)
		fmt.Fprintf(&b, "%s\n", c.name)
		for _, d := range there {
			fmt.Fprintf(&b, "  %s: %s\n", d.Mark, d.Text)
		}
		for _, d := range back {
			fmt.Fprintf(&b, "  undone, %s: %s\n", d.Mark, d.Text)
		}
	}
	const file = "testdata/tighter.words"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("other words than in %s:\n%s", file, b.String())
	}
}

// A recipient that a meter counts by itself, cut in two, may be paid twice as much.
func TestTighterCountsRecipients(t *testing.T) {
	two := func(per Per) *Policy {
		return &Policy{Version: 1, Recipients: []Recipient{{Name: "a", Addresses: []string{"bc1qa"}}, {Name: "b", Addresses: []string{"bc1qb"}}},
			Meters: []Meter{{"m", 1000, 60, per, 0}}, Rules: []Rule{{Name: "r", When: When{Kinds: []Kind{Payment}, To: []uint64{0, 1}}, Require: Require{Meters: []uint64{0}}, Then: Sign, Else: Deny}}}
	}
	one := func(per Per) *Policy {
		p := two(per)
		p.Recipients, p.Rules[0].When.To = []Recipient{{Name: "both", Addresses: []string{"bc1qa", "bc1qb"}}}, []uint64{0}
		return p
	}
	for per, want := range map[Per]bool{PerGroup: true, PerInitiator: true, PerRecipient: false} {
		if got, found := Tighter(one(per), two(per), testNames); got != want {
			t.Errorf("per %d, cut in two: %v %+v", per, got, found)
		}
		if got, found := Tighter(two(per), two(per), testNames); !got || len(found) > 0 {
			t.Errorf("per %d, the same: %v %+v", per, got, found)
		}
	}
	// A new meter is no other one's.
	old := one(PerRecipient)
	old.Meters[0].Name, old.Rules[0].Require.Meters = "z", nil
	next := two(PerRecipient)
	next.Meters = append(next.Meters, old.Meters[0])
	next.Meters[1].Per, old.Meters[0].Per = PerGroup, PerGroup
	if got, found := Tighter(old, next, testNames); !got {
		t.Errorf("a new meter: %+v", found)
	}
}

// All differences are told, also behind one that is looser.
func TestTighterTellsAll(t *testing.T) {
	old, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	p := clonePolicy(t, old)
	p.Meters[0].Name, p.Meters[1].Limit = "other", 1
	p.Recipients = append([]Recipient{{Name: "aaa", Addresses: []string{"bc1qz"}}}, p.Recipients...)
	p.Recipients[1].Addresses = p.Recipients[1].Addresses[:1]
	p.Rules[0].When.To = []uint64{1}
	_, found := Tighter(old, p, testNames)
	for _, want := range []string{`meter "daily" is gone`, `meter "person": at most 1 sat leaves, was 0.05000000 BTC`, `recipient "acme" is not bc1qb any more`} {
		if !slices.ContainsFunc(found, func(d Difference) bool { return d.Text == want }) {
			t.Errorf("%q is not told: %+v", want, found)
		}
	}
	// One that no rule names changes nothing.
	p = clonePolicy(t, old)
	p.Rules[0].When.To = nil
	q := clonePolicy(t, p)
	q.Recipients[0].Addresses = []string{"bc1qz"}
	if got, found := Tighter(p, q, testNames); !got || len(found) != 3 {
		t.Errorf("%v %+v", got, found)
	}
}
