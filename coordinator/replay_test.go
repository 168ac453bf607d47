package coordinator

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/coordinator/robot/replay"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// fataler is a test, or one of many of a property.
type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// replayed is what a peer finds of the robots' verdicts, in pages of so many.
func (p *peer) replayed(t fataler, limit int) (out []replay.Found) {
	r := replay.Reader{State: p.m.State, View: p.m.View, Now: p.clock.UnixMilli(), Entry: func(ctx context.Context, id journal.EntryID) (*journal.Entry, error) {
		return p.Entry(ctx, p.m.State.Group(), id)
	}}
	for from := (replay.Place{}); ; {
		page, next, err := r.Page(context.Background(), from, limit)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, page...); next == nil {
			return out
		}
		from = *next
	}
}

// agree fails where a verdict of an honest robot is not what it should be.
func agree(t fataler, found []replay.Found) {
	for _, f := range found {
		if len(f.Differs) > 0 {
			t.Fatalf("verdict %+v: %+v", f.Verdict, f.Differs)
		}
	}
}

// Whatever people do, and however robots start again, each verdict that an honest robot
// writes is what its facts give, and these are what the transaction is; in whatever pages,
// and whoever looks.
func TestReplayAgreesWithAnHonestRobot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := withRobots(t, 2, 4, rapid.IntRange(1, 2).Draw(rt, "robots"))
		r.fund(100_000, 90_000, 80_000, 70_000, 60_000)
		p := r.suppliers(30_000)
		p.Meters[0].Limit = 60_000
		if len(r.robots) > 1 && rapid.Bool().Draw(rt, "pool") {
			p.Meters[0].Limit, p.Meters[0].Pool, p.Tolerate = 120_000, 50, 1
		}
		p.Meters = append(p.Meters, policy.Meter{Name: "each", Limit: 40_000, Window: 21_600, Per: policy.PerRecipient}, policy.Meter{Name: "own", Limit: 50_000, Window: 21_600, Per: policy.PerInitiator})
		rule := &p.Rules[0]
		rule.Require.Meters = []uint64{0, 1, 2}
		rule.Require.Delay = int64(rapid.IntRange(0, 1).Draw(rt, "delay")) * 1800
		if rapid.Bool().Draw(rt, "hours") {
			rule.Require.Hours = []policy.Hours{{Days: 127, From: 180, To: 1200, Zone: "Europe/Berlin"}}
		}
		if rapid.Bool().Draw(rt, "asks") {
			rule.Else, rule.Steps = policy.Ask, []policy.Step{{Who: policy.Who{Groups: []uint64{0}}, N: 1, Within: 3600, AmountMax: 45_000, Meters: []uint64{0}}}
		}
		p.Rules = append(p.Rules, policy.Rule{Name: "bumps", When: policy.When{Kinds: []policy.Kind{policy.Bump, policy.Cancel}}, Require: policy.Require{Meters: []uint64{0}}, Then: policy.Sign, Else: policy.Deny})
		v := r.votes(p)
		r.hear()
		var ids []journal.EntryID
		made := func(v any, err error) {
			if p, ok := v.(Proposed); ok && err == nil {
				ids = append(ids, p.Proposal)
			}
		}
		allow := []string{refusal.DoublePayment, refusal.ReplaceFee}
		for range rapid.IntRange(5, 25).Draw(rt, "acts") {
			who := rapid.SampledFrom(r.humans).Draw(rt, "who")
			id := journal.EntryID{1}
			if len(ids) > 0 {
				id = rapid.SampledFrom(ids).Draw(rt, "proposal")
			}
			switch rapid.IntRange(0, 11).Draw(rt, "act") {
			case 0, 1, 2:
				x := pay(byte(rapid.IntRange(68, 74).Draw(rt, "to")), int64(rapid.IntRange(1, 5).Draw(rt, "amount"))*10_000)
				x.Allow, x.Unsigned = allow, rapid.Bool().Draw(rt, "unsigned")
				made(who.do(x))
			case 3:
				_, _ = who.do(Approve{Proposal: id, Allow: allow})
			case 4:
				_, _ = who.do(Reject{Proposal: id, Reason: "no"})
			case 5:
				made(who.do(Propose{Follows: FollowUp{Bump: id}, FeeRate: 9000, Allow: allow}))
			case 6:
				made(who.do(Propose{Follows: FollowUp{Cancel: id}, Allow: allow}))
			case 7:
				r.settle()
			case 8:
				r.hear()
			case 9:
				r.clock = r.clock.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
				r.mine(nil)
			case 10:
				rapid.SampledFrom(r.robots).Draw(rt, "restarts").crash()
			case 11:
				if q, ok := who.m.State.Proposal(id); ok {
					if tx, err := who.m.State.FinalTx(q); err == nil && r.minable(tx) {
						r.mine([]*wire.MsgTx{tx})
					}
				}
			}
		}
		r.hear()
		if rapid.Bool().Draw(rt, "tightened") {
			p.Meters[0].Limit, p.Title = 50_000, "Tighter"
			r.votes(p, v)
			r.hear()
			made(r.humans[0].do(pay(71, 5_000)))
			r.hear()
		}
		found := r.humans[0].replayed(rt, 1000)
		agree(rt, found)
		agree(rt, r.robots[0].replayed(rt, 3))
		if again := r.humans[0].replayed(rt, rapid.IntRange(1, 7).Draw(rt, "page")); len(again) != len(found) {
			rt.Fatalf("%d verdicts in pages, %d at once", len(again), len(found))
		}
	})
}

// forges has a robot write a verdict that is another one changed, and returns what is found
// of it.
func (r *robots) forges(bot *peer, of event.RobotVerdict, by func(*event.RobotVerdict, *policy.Facts)) replay.Found {
	r.tb.Helper()
	facts, err := policy.DecodeFacts(of.Facts)
	if err != nil {
		r.tb.Fatal(err)
	}
	by(&of, facts)
	if of.Facts, err = policy.EncodeFacts(facts); err != nil {
		r.tb.Fatal(err)
	}
	bot.must(says{&of})
	r.settle()
	return r.lastFound(bot)
}

// lastFound is what is found of the last that a robot wrote.
func (r *robots) lastFound(bot *peer) (last replay.Found) {
	for _, f := range r.humans[0].replayed(r.tb, 1000) {
		if f.Member.Identity == bot.id() {
			last = f
		}
	}
	return last
}

// verdicts are those that a peer wrote, in order.
func (p *peer) verdicts() (out []event.RobotVerdict) {
	for _, chain := range p.Chains() {
		for _, e := range chain {
			if v, ok := p.bodyOf(e).(*event.RobotVerdict); ok && e.Chain().Author == p.id() {
				out = append(out, *v)
			}
		}
	}
	return out
}

// A robot that says what its facts do not give, or facts that are not so, is named, with the
// field.
func TestReplayNamesARobotThatLies(t *testing.T) {
	type lie = func(*event.RobotVerdict, *policy.Facts)
	for name, x := range map[string]struct {
		field string
		lie   lie
	}{
		"signs what is denied":          {"outcome", func(v *event.RobotVerdict, _ *policy.Facts) { v.Outcome, v.Reasons = uint64(policy.OutcomeSign), nil }},
		"another rule":                  {"rule", func(v *event.RobotVerdict, _ *policy.Facts) { v.Rule = 2 }},
		"another reason":                {"reasons", func(v *event.RobotVerdict, _ *policy.Facts) { v.Reasons = []string{"frozen"} }},
		"a step that nobody asked":      {"step", func(v *event.RobotVerdict, _ *policy.Facts) { v.Step = 1 }},
		"until when":                    {"until", func(v *event.RobotVerdict, _ *policy.Facts) { v.Until = v.Now + 60 }},
		"a delay that did not begin":    {"fulfilled", func(v *event.RobotVerdict, _ *policy.Facts) { v.Fulfilled = 1 }},
		"a delay that began before":     {"facts.fulfilled", func(_ *event.RobotVerdict, f *policy.Facts) { f.Fulfilled = 1 }},
		"a step before":                 {"facts.step", func(_ *event.RobotVerdict, f *policy.Facts) { f.Step, f.Asked = 1, 1 }},
		"a time that goes back":         {"now", func(v *event.RobotVerdict, f *policy.Facts) { v.Now, f.Now = v.Now-1, f.Now-1 }},
		"two times":                     {"facts.now", func(_ *event.RobotVerdict, f *policy.Facts) { f.Now++ }},
		"another policy":                {"policy", func(v *event.RobotVerdict, _ *policy.Facts) { v.Policy[0]++ }},
		"another robot":                 {"facts.robot", func(_ *event.RobotVerdict, f *policy.Facts) { f.Robot++ }},
		"another transaction":           {"txid", func(v *event.RobotVerdict, _ *policy.Facts) { v.TxID[0]++ }},
		"another initiator":             {"facts.initiator", func(_ *event.RobotVerdict, f *policy.Facts) { f.Initiator++ }},
		"a smaller amount":              {"facts.pays", func(_ *event.RobotVerdict, f *policy.Facts) { f.Pays[0].Amount -= 40_000 }},
		"a smaller amount that adds up": {"facts.own", func(_ *event.RobotVerdict, f *policy.Facts) { f.Pays[0].Amount -= 40_000; f.Own += 40_000 }},
		"a stranger who is a recipient": {"facts.pays", func(_ *event.RobotVerdict, f *policy.Facts) { f.Pays[0].To = []uint64{0, 1} }},
		"nobody who is paid":            {"facts.pays", func(_ *event.RobotVerdict, f *policy.Facts) { f.Pays = nil }},
		"no fee":                        {"facts.fee", func(_ *event.RobotVerdict, f *policy.Facts) { f.Fee = 0 }},
		"less in its coins":             {"facts.in", func(_ *event.RobotVerdict, f *policy.Facts) { f.In -= 1000 }},
		"fewer inputs":                  {"facts.inputs", func(_ *event.RobotVerdict, f *policy.Facts) { f.Inputs++ }},
		"fewer outputs":                 {"facts.outputs", func(_ *event.RobotVerdict, f *policy.Facts) { f.Outputs-- }},
		"a larger size":                 {"facts.vsize", func(_ *event.RobotVerdict, f *policy.Facts) { f.VSize *= 2 }},
		"another script":                {"facts.script", func(_ *event.RobotVerdict, f *policy.Facts) { f.Script = "tr" }},
		"a payment that is a bump":      {"facts.kind", func(_ *event.RobotVerdict, f *policy.Facts) { f.Kind = policy.Bump }},
		"a payment that is none":        {"facts.kind", func(_ *event.RobotVerdict, f *policy.Facts) { f.Kind = policy.Consolidation }},
		"another level":                 {"facts.level", func(_ *event.RobotVerdict, f *policy.Facts) { f.Level = 1 }},
		"a zone of its own":             {"facts.zones", func(_ *event.RobotVerdict, f *policy.Facts) { f.Zones = []policy.Zone{{Name: "UTC", Offset: 3600}} }},
		"a meter with nothing used":     {"facts.uses[0].used", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Used = 0 }},
		"a larger share":                {"facts.uses[0].share", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Share += 1 }},
		"a pool":                        {"facts.uses[0].pool", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Pool = 1 }},
		"a charge above what it takes":  {"facts.uses[0].charge", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Charge = f.Uses[0].Takes + 1 }},
		"a meter that takes less":       {"facts.uses[0]", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Takes-- }},
		"no meters":                     {"facts.uses", func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			r := withRobots(t, 2, 3, 1)
			bot, ana := r.robots[0], r.humans[0]
			r.fund(100_000, 100_000)
			r.votes(r.suppliers(50_000))
			r.hear()
			ana.proposes(pay(71, 20_000)) // the robot signs it
			ana.proposes(pay(72, 60_000)) // and denies this
			r.settle()
			of := bot.verdicts()
			agree(t, ana.replayed(t, 1000))
			f := r.forges(bot, of[len(of)-1], x.lie)
			if !slices.ContainsFunc(f.Differs, func(d replay.Difference) bool { return d.Field == x.field }) || f.Member.Identity != bot.id() {
				t.Fatalf("found %+v, open %+v", f.Differs, f.Open)
			}
		})
	}
}

// That who did not sign is said to have approved is not known at once: a signature may be
// under way. A day later it is a lie.
func TestReplayNamesApprovalsThatNobodyGave(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	ana.proposes(pay(72, 60_000))
	r.settle()
	of := bot.verdicts()
	f := r.forges(bot, of[len(of)-1], func(_ *event.RobotVerdict, f *policy.Facts) { f.Approved = r.keysOf(r.humans...) })
	if len(f.Differs) != 0 || len(f.Open) != 1 || f.Open[0].Field != "facts.approved" {
		t.Fatalf("at once: %+v, open %+v", f.Differs, f.Open)
	}
	r.clock = r.clock.Add(25 * time.Hour)
	found := ana.replayed(t, 1000)
	if f = found[len(found)-1]; len(f.Differs) != 1 || f.Differs[0].Field != "facts.approved" {
		t.Fatalf("a day later: %+v, open %+v", f.Differs, f.Open)
	}
}

// A robot that signs without a verdict is named; one that said first that it signs is not.
func TestReplayNamesSignaturesWithoutVerdicts(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	ana.proposes(pay(71, 20_000))
	denied := ana.proposes(pay(72, 60_000))
	r.settle()
	agree(t, ana.replayed(t, 1000))
	bot.m = bot.m.AsRobot(robot.Off, nil) // as if it were a human's
	bot.must(Approve{Proposal: denied})
	r.settle()
	found := ana.replayed(t, 1000)
	f := found[len(found)-1]
	if !f.Signed || len(f.Differs) != 1 || f.Differs[0].Field != "signature" || f.Verdict.Proposal != denied {
		t.Fatalf("found %+v", f)
	}
}

// Verdicts without facts say why there are none.
func TestReplayOfVerdictsWithoutFacts(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000)
	id := ana.proposes(pay(71, 20_000))
	r.hear()
	if v := r.verdict(bot, id); !outcome(v, policy.OutcomeDeny, "no_policy") {
		t.Fatalf("it says %+v", v)
	}
	agree(t, ana.replayed(t, 1000))
	r.votes(r.suppliers(50_000))
	r.hear()
	q, _ := ana.m.State.Proposal(id)
	v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(bot)))
	for field, b := range map[string]event.RobotVerdict{
		"reasons": {Policy: v, Outcome: uint64(policy.OutcomeDeny), Reasons: []string{"no_policy"}},
		"facts":   {Policy: v, Outcome: uint64(policy.OutcomeSign), Rule: 1},
	} {
		b.Proposal, b.TxID, b.Now = id, q.TxID, r.clock.Unix()
		bot.must(says{&b})
		r.settle()
		found := ana.replayed(t, 1000)
		if f := found[len(found)-1]; len(f.Differs) != 1 || f.Differs[0].Field != field {
			t.Fatalf("%s: found %+v, open %+v", field, f.Differs, f.Open)
		}
	}
}

// A robot that came back from a backup and finds that the group went on says so without facts,
// and that is no difference.
func TestReplayOfARobotThatIsBehind(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	first := r.votes(r.suppliers(50_000))
	r.hear()
	before := bot.backup()
	r.votes(r.suppliers(20_000), first)
	second := before.restore()
	r.inPlaceOf(bot, second)
	id := ana.proposes(pay(70, 40_000))
	for range 3 {
		r.settle()
		for _, o := range r.humans {
			second.hear(o)
		}
	}
	r.hear()
	said := slices.ContainsFunc(second.verdicts(), func(v event.RobotVerdict) bool {
		return v.Proposal == id && slices.Equal(v.Reasons, []string{"policy_behind"})
	})
	if !said {
		t.Fatalf("it says %+v", second.verdicts())
	}
	agree(t, ana.replayed(t, 1000))
}
