package coordinator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot/simulate"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

func (p *peer) simulated(t fataler, by *policy.Policy, since int64) simulate.Report {
	r, err := simulate.Run(context.Background(), simulate.Query{State: p.m.State, View: p.m.View, Policy: by, Since: since, Now: p.clock.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// would is what a simulated robot does about a proposal, and when it came to it.
func would(t fataler, r simulate.Report, id journal.EntryID) (policy.Verdict, int64) {
	for _, x := range r.Items {
		if x.Proposal.Ref.ID == id {
			return x.Verdict, x.At
		}
	}
	t.Fatalf("%s is not in the report", id)
	return policy.Verdict{}, 0
}

func expects(t *testing.T, r simulate.Report, id journal.EntryID, o policy.Outcome, at time.Time, reasons ...policy.Reason) {
	t.Helper()
	v, when := would(t, r, id)
	if v.Outcome != o || fmt.Sprint(v.Reasons) != fmt.Sprint(reasons) || when != at.Unix() {
		t.Errorf("at %v it does %d for %v, and should at %v %d for %v", time.Unix(when, 0).UTC(), v.Outcome, v.Reasons, at, o, reasons)
	}
}

// humans is a wallet of humans whose last member would be a robot.
func humansBefore(t *testing.T, k, n int) *robots {
	t.Helper()
	c := active(t, k, n)
	return &robots{circle: c, humans: c.peers[:n-1], robots: c.peers[n-1:]}
}

// A policy that nobody has voted on yet is run over what was proposed before: it says what a
// robot would have signed and denied, and when.
func TestSimulatedPolicy(t *testing.T) {
	r := humansBefore(t, 2, 3)
	ana := r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit = 100_000
	start := r.clock
	small, large, stranger := ana.proposes(pay(70, 45_000)), ana.proposes(pay(71, 50_001)), ana.proposes(pay(9, 1_000))
	r.settle()
	r.clock = r.clock.Add(time.Hour)
	second, third := ana.proposes(pay(72, 45_000)), ana.proposes(pay(73, 45_000))
	later := r.clock
	r.settle()
	got := ana.simulated(t, p, 0)
	expects(t, got, small, policy.OutcomeSign, start)
	expects(t, got, large, policy.OutcomeDeny, start, policy.ReasonAmountMax)
	expects(t, got, stranger, policy.OutcomeDeny, start, policy.ReasonNoRule)
	signs := second
	if v, _ := would(t, got, second); v.Outcome == policy.OutcomeWait {
		signs, third = third, second // entries of one time are taken by their ids
	}
	expects(t, got, signs, policy.OutcomeSign, later)
	expects(t, got, third, policy.OutcomeWait, later, policy.ReasonMeterFull)
	if m := got.Meters[0]; m.Signed.Amount < 90_000 || m.Signed.Amount > 100_000 || m.Mined.Amount != 0 {
		t.Errorf("the meter had %+v", m)
	}
	if only := ana.simulated(t, p, later.Unix()); len(only.Items) != 2 {
		t.Errorf("%d are from later on", len(only.Items))
	}
	// Once what was signed is mined, and the window over, there is room.
	for _, id := range []journal.EntryID{small, signs} {
		r.humans[1].must(Approve{Proposal: id})
		r.settle()
		q, _ := ana.m.State.Proposal(id)
		tx, err := theTx(ana.m.State, ana.m.View, q)
		if err != nil {
			t.Fatal(err)
		}
		r.mine([]*wire.MsgTx{tx})
	}
	for range 300 {
		r.clock = r.clock.Add(10 * time.Minute)
		r.mine(nil)
	}
	got = ana.simulated(t, p, 0)
	if v, at := would(t, got, third); v.Outcome != policy.OutcomeSign || at <= later.Unix()+86400 {
		t.Errorf("of the third it says %+v, at %v", v, time.Unix(at, 0))
	}
	if m := got.Meters[0]; m.Mined.Amount < 90_000 || m.Mined.Amount > 100_000 {
		t.Errorf("of what was mined the meter had %+v", m)
	}
}

// Delays run from when all else held, by what members claim; whoever rejects in one ends it.
// Approvals count from when they were given, and not those of robots.
func TestSimulatedDelaysAndApprovals(t *testing.T) {
	r := humansBefore(t, 3, 4)
	ana, boris, chen, bot := r.humans[0], r.humans[1], r.humans[2], r.robots[0]
	r.fund(100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Rules[0].Require.Delay = 7200
	p.Rules[0].Require.Approvals = []policy.Approval{{Of: policy.Who{Keys: r.keysOf(boris, chen, bot)}, N: 1}}
	approved, rejected, alone := ana.proposes(pay(70, 10_000)), ana.proposes(pay(71, 11_000)), ana.proposes(pay(72, 12_000))
	start := r.clock
	r.settle()
	bot.must(Approve{Proposal: alone})
	r.clock = r.clock.Add(time.Hour)
	for _, id := range []journal.EntryID{approved, rejected} {
		boris.must(Approve{Proposal: id})
	}
	r.settle()
	r.clock = r.clock.Add(time.Hour)
	chen.must(Reject{Proposal: rejected})
	r.settle()
	r.clock = r.clock.Add(24 * time.Hour)
	got := ana.simulated(t, p, 0)
	expects(t, got, approved, policy.OutcomeSign, start.Add(3*time.Hour))
	expects(t, got, rejected, policy.OutcomeDeny, start.Add(2*time.Hour), policy.ReasonRejected)
	expects(t, got, alone, policy.OutcomeWait, start, policy.ReasonApprovals)
	// What expired or was withdrawn in its delay is not signed.
	ana.must(Withdraw{Proposal: approved})
	r.settle()
	expects(t, ana.simulated(t, p, 0), approved, policy.OutcomeSign, start.Add(3*time.Hour))
}

// What replaced something later does not make it another kind, and what is replaced by hand is
// a bump of what the robot would have signed.
func TestSimulatedBumps(t *testing.T) {
	r := humansBefore(t, 2, 3)
	ana := r.humans[0]
	r.fund(100_000)
	p := r.suppliers(50_000)
	p.Rules = append(p.Rules, policy.Rule{Name: "bumps", When: policy.When{Kinds: []policy.Kind{policy.Bump, policy.Cancel}}, Then: policy.Sign, Else: policy.Deny})
	first := ana.proposes(pay(70, 10_000))
	r.settle()
	r.clock = r.clock.Add(time.Hour)
	bump := ana.must(Propose{Follows: FollowUp{Bump: first}, FeeRate: 9000}).(Proposed).Proposal
	r.settle()
	q, _ := ana.m.State.Proposal(bump)
	r.humans[1].must(Approve{Proposal: bump})
	r.settle()
	tx, err := theTx(ana.m.State, ana.m.View, q)
	if err != nil {
		t.Fatal(err)
	}
	r.mine([]*wire.MsgTx{tx})
	for range 6 {
		r.mine(nil)
	}
	got := ana.simulated(t, p, 0)
	for id, rule := range map[journal.EntryID]uint64{first: 1, bump: 2} {
		if v, _ := would(t, got, id); v.Outcome != policy.OutcomeSign || v.Step != 0 {
			t.Errorf("of %s it says %+v, and not by rule %d", id, v, rule)
		}
	}
	if m := got.Meters[0]; m.Signed.Amount >= 20_000 {
		t.Errorf("the payment was charged twice: %+v", m)
	}
}

// A policy that no robot could follow is refused, and a context that is over ends the run.
func TestSimulateRefuses(t *testing.T) {
	r := humansBefore(t, 2, 3)
	ana := r.humans[0]
	r.fund(100_000)
	ana.proposes(pay(70, 1_000))
	p := r.suppliers(50_000)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	q := simulate.Query{State: ana.m.State, View: ana.m.View, Policy: p, Now: r.clock.Unix()}
	if _, err := simulate.Run(over, q); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
	p.Recipients[0].Addresses = []string{"nobody"}
	if _, err := simulate.Run(context.Background(), q); !errors.Is(err, simulate.ErrPolicy) {
		t.Errorf("an address that is none: %v", err)
	}
	p.Robots = 0
	if _, err := simulate.Run(context.Background(), q); !errors.Is(err, simulate.ErrPolicy) {
		t.Errorf("no robots: %v", err)
	}
}

// Whatever people did, a simulated robot never signs what is mined beyond a limit in any
// window, and the same entries give the same report.
func TestSimulatedMetersHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := humansBefore(t, 2, 3)
		r.fund(100_000, 90_000, 80_000, 70_000, 60_000, 50_000)
		p := r.suppliers(40_000)
		p.Meters = []policy.Meter{{Name: "all", Limit: 60_000, Window: 21_600}, {Name: "each", Limit: 30_000, Window: 43_200, Per: policy.PerRecipient}, {Name: "own", Limit: 50_000, Window: 86_400, Per: policy.PerInitiator}}
		p.Rules[0].Require.Meters = []uint64{0, 1, 2}
		p.Rules[0].Require.Delay = int64(rapid.IntRange(0, 2).Draw(rt, "delay")) * 1800
		p.Rules = append(p.Rules, policy.Rule{Name: "rest", When: policy.When{Kinds: []policy.Kind{policy.Payment, policy.Bump, policy.Cancel, policy.CPFP}}, Require: policy.Require{Meters: []uint64{0, 1, 2}}, Then: policy.Sign, Else: policy.Deny})
		var ids []journal.EntryID
		allow := []string{refusal.DoublePayment, refusal.ReplaceFee}
		for range rapid.IntRange(5, 30).Draw(rt, "acts") {
			who := rapid.SampledFrom(r.peers).Draw(rt, "who")
			id := journal.EntryID{1}
			if len(ids) > 0 {
				id = rapid.SampledFrom(ids).Draw(rt, "proposal")
			}
			made := func(v any, err error) {
				if p, ok := v.(Proposed); ok && err == nil {
					ids = append(ids, p.Proposal)
				}
			}
			switch rapid.IntRange(0, 9).Draw(rt, "act") {
			case 0, 1, 2:
				x := pay(byte(rapid.IntRange(68, 74).Draw(rt, "to")), int64(rapid.IntRange(1, 4).Draw(rt, "amount"))*10_000)
				x.Allow = allow
				made(who.do(x))
			case 3:
				made(who.do(Propose{Follows: FollowUp{Bump: id}, FeeRate: 9000, Allow: allow}))
			case 4:
				made(who.do(Propose{Follows: FollowUp{Cancel: id}, Allow: allow}))
			case 5, 6:
				_, _ = who.do(Approve{Proposal: id, Allow: allow})
				r.settle()
			case 7:
				_, _ = who.do(Reject{Proposal: id})
			case 8:
				for range rapid.IntRange(1, 80).Draw(rt, "blocks") {
					r.clock = r.clock.Add(10 * time.Minute)
					r.mine(nil)
				}
			case 9:
				r.settle()
				if q, ok := who.m.State.Proposal(id); ok {
					if tx, err := who.m.State.FinalTx(q); err == nil && r.minable(tx) {
						r.mine([]*wire.MsgTx{tx})
					}
				}
			}
		}
		r.settle()
		got := r.peers[0].simulated(rt, p, 0)
		for _, m := range got.Meters {
			if m.Mined.Amount > p.Meters[m.Meter].Limit {
				rt.Fatalf("meter %q: %+v", p.Meters[m.Meter].Name, m)
			}
		}
		other := r.peers[1].simulated(rt, p, 0)
		if len(other.Items) != len(got.Items) || fmt.Sprint(other.Meters) != fmt.Sprint(got.Meters) {
			rt.Fatalf("two nodes say %+v and %+v", got.Meters, other.Meters)
		}
		for n, x := range got.Items {
			if y := other.Items[n]; x.Proposal.Ref.ID != y.Proposal.Ref.ID || fmt.Sprint(x.Verdict) != fmt.Sprint(y.Verdict) || x.At != y.At {
				rt.Fatalf("two nodes say %+v and %+v", x, y)
			}
		}
	})
}
