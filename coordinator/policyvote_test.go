package coordinator

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

func (p *peer) puts(x ProposePolicy) event.PolicyVersion {
	p.tb.Helper()
	return p.must(x).(PolicyPut).Version
}

// Members propose a policy and are for it: the robot follows it, and signs.
func TestAPolicyIsVotedOn(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	r.featured()
	bot, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.fund(100_000, 100_000)
	v := ana.puts(ProposePolicy{Bytes: policy.Encode(r.suppliers(50_000))})
	r.hear()
	b, ok := robot.BallotOf(bot.m.State, v)
	if !ok || b.Title != "Suppliers" || b.Passed || len(b.Standing.For) != 1 || len(b.Proposed) != 1 || b.Proposed[0].Chain.Author != ana.id() || len(b.Parents) != 0 || b.Problem != nil {
		t.Fatalf("before the second vote: %+v", b)
	}
	before := boris.written()
	if again := boris.puts(ProposePolicy{Bytes: policy.Encode(r.suppliers(50_000)), Unapproved: true}); again != v || boris.written() != before {
		t.Fatal("what is proposed was proposed again")
	}
	boris.must(VotePolicy{Version: v})
	before = boris.written()
	boris.must(VotePolicy{Version: v})
	if boris.written() != before {
		t.Fatal("the same vote was written twice")
	}
	r.hear()
	b, _ = robot.BallotOf(ana.m.State, v)
	if !b.Passed || len(b.Robots) != 1 || !b.Robots[0].Anchored || !b.Robots[0].Follows {
		t.Fatalf("with both votes: %+v", b)
	}
	id := ana.proposes(pay(70, 40_000))
	r.settle()
	if !bot.signed(id) {
		t.Fatal("the robot does not sign by it")
	}

	// The next follows it; a robot's node votes at its user's command.
	next := bot.puts(ProposePolicy{Bytes: policy.Encode(r.suppliers(40_000))})
	r.hear()
	ana.must(VotePolicy{Version: next, Against: true})
	r.hear()
	b, _ = robot.BallotOf(boris.m.State, next)
	if len(b.Parents) != 1 || b.Parents[0] != v || len(b.Standing.For) != 1 || len(b.Standing.Against) != 1 || b.Passed {
		t.Fatalf("the next: %+v", b)
	}
	ana.must(VotePolicy{Version: next}) // a vote is moved
	r.hear()
	if got, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(bot))); got != next {
		t.Fatal("a tighter one with its votes is not followed")
	}
	if all := robot.Ballots(ana.m.State); len(all) != 2 || all[0].Version == all[1].Version {
		t.Fatalf("%d are listed", len(all))
	}
	for _, p := range r.peers {
		if got := p.m.State.PoliciesNamed(next.String()); len(got) != 1 || got[0] != next {
			t.Fatalf("%s finds %v", p.name, got)
		}
		// What goes on behind a whole version is none, and neither is what is no hex.
		whole := hex.EncodeToString(next[:])
		if got := p.m.State.PoliciesNamed(whole); len(got) != 1 || got[0] != next {
			t.Fatalf("%s finds %v by the whole", p.name, got)
		}
		for _, more := range []string{"0", "00", "g", whole} {
			if got := p.m.State.PoliciesNamed(whole + more); len(got) != 0 {
				t.Fatalf("%s finds %v by a version and %q", p.name, got, more)
			}
		}
	}
}

// What no robot could follow, what nobody proposed, and who holds no key is refused, and
// nothing is written.
func TestVotesOnPoliciesAreRefused(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	r.featured()
	ana := r.humans[0]
	good := r.suppliers(50_000)
	bad := r.suppliers(50_000)
	bad.Recipients[0].Addresses = []string{"1BoatSLRHtKNngkdXEeobR76b53LETtpyT"} // of mainnet
	many := r.suppliers(50_000)
	many.StartQuorum = 3
	before := ana.written()
	for name, x := range map[string]struct {
		cmd  Message
		want error
	}{
		"no policy":             {ProposePolicy{Bytes: []byte{1, 2, 3}}, refusal.ErrBadPolicy},
		"nothing":               {ProposePolicy{}, refusal.ErrBadPolicy},
		"of another network":    {ProposePolicy{Bytes: policy.Encode(bad)}, refusal.ErrBadPolicy},
		"for more members":      {ProposePolicy{Bytes: policy.Encode(many)}, refusal.ErrBadPolicy},
		"after an unknown one":  {ProposePolicy{Bytes: policy.Encode(good), Parents: []event.PolicyVersion{{1}}}, refusal.ErrUnknownPolicy},
		"a vote for no one":     {VotePolicy{Version: event.PolicyVersion{1}}, refusal.ErrUnknownPolicy},
		"a vote against no one": {VotePolicy{Version: event.PolicyVersion{1}, Against: true}, refusal.ErrUnknownPolicy},
	} {
		if _, err := ana.do(x.cmd); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nobody is for what a robot cannot read, and anybody may be against it.
	b := &event.PolicyProposed{Bytes: []byte("soup")}
	r.humans[1].must(says{b})
	r.settle()
	v := b.Version(ana.m.State.Group())
	if _, err := ana.do(VotePolicy{Version: v}); !errors.Is(err, refusal.ErrBadPolicy) {
		t.Errorf("for what cannot be read: %v", err)
	}
	if ana.written() != before {
		t.Error("something was written")
	}
	ana.must(VotePolicy{Version: v, Against: true})
	if st := ana.m.State.PolicyStanding(v); len(st.Against) != 1 {
		t.Errorf("it stands %+v", st)
	}
	ana.must(Archive{Allow: []string{refusal.NotEmpty}})
	if _, err := ana.do(ProposePolicy{Bytes: policy.Encode(good)}); refusalCode(err) != refusal.Archived {
		t.Errorf("archived: %v", err)
	}
}

// Tens of thousands of policies and votes of one member change neither what the others' votes
// come to, nor what is listed of theirs, nor what it costs to ask.
func TestAFloodOfPolicies(t *testing.T) {
	slow(t)
	r := withRobots(t, 2, 3, 1)
	r.featured()
	ana, evil := r.humans[0], r.humans[1]
	v := ana.puts(ProposePolicy{Bytes: policy.Encode(r.suppliers(50_000))})
	r.settle()
	st, next, of := ana.m.State, evil.nextPlace(), ana.m.State.Group()
	say := func(b event.Body) {
		t.Helper()
		var err error
		if st, _, err = st.Add(evil.forge(next, b), false); err != nil {
			t.Fatal(err)
		}
	}
	flood := func(n int) (last event.PolicyVersion) {
		for i := range n / 4 {
			b := &event.PolicyProposed{Bytes: []byte{0xff, byte(i), byte(i >> 8), byte(n >> 8)}}
			last = b.Version(of)
			say(b)
			say(&event.PolicyApproved{Version: last})
			say(&event.PolicyObjected{Version: v})
			say(&event.PolicyApproved{Version: v})
		}
		st = st.Derived()
		return last
	}
	cost := func() float64 {
		return testing.AllocsPerRun(5, func() {
			if st.PolicyStanding(v); !robot.VotesCount(st, v) {
				t.Fatal("it does not count any more")
			}
		})
	}
	flood(256)
	before, listed := cost(), len(robot.Ballots(st))
	last := flood(32_768)
	if after := cost(); after > 1.1*before {
		t.Errorf("to ask costs %v allocations, %v before the flood", after, before)
	}
	if n := len(robot.Ballots(st)); n > listed+group.MaxRivalPolicies {
		t.Errorf("%d are listed, %d before the flood", n, listed)
	}
	if !slices.ContainsFunc(robot.Ballots(st), func(b robot.Ballot) bool { return b.Version == v }) {
		t.Error("what is voted on is listed no more")
	}
	if st := st.PolicyStanding(v); len(st.For) != 2 || len(st.Against) != 0 {
		t.Errorf("it stands %+v", st)
	}
	if robot.VotesCount(st, last) {
		t.Error("the last of them counts")
	}
}

// What a member proposes beyond those of it that count is refused to it, and to who would vote
// on it; another may propose it.
func TestTooManyPolicies(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	r.featured()
	ana, boris := r.humans[0], r.humans[1]
	text := func(n int) []byte { return policy.Encode(r.suppliers(50_000 + int64(n))) }
	for n := range group.MaxRivalPolicies {
		ana.puts(ProposePolicy{Bytes: text(n), Unapproved: n > 0})
	}
	before := ana.written()
	one := ProposePolicy{Bytes: text(group.MaxRivalPolicies)}
	if _, err := ana.do(one); refusalCode(err) != refusal.Policies || ana.written() != before {
		t.Fatalf("one more: %v", err)
	}
	ana.must(says{&event.PolicyProposed{Bytes: one.Bytes}})
	r.settle()
	v := (&event.PolicyProposed{Bytes: one.Bytes}).Version(ana.m.State.Group())
	if _, err := boris.do(VotePolicy{Version: v}); refusalCode(err) != refusal.Policies {
		t.Fatalf("a vote on one more: %v", err)
	}
	if boris.puts(one) != v {
		t.Fatal("another version")
	}
	r.settle()
	ana.must(VotePolicy{Version: v})
	if st := ana.m.State.PolicyStanding(v); len(st.For) != 2 {
		t.Fatalf("it stands %+v", st)
	}
}

// One who is no robot, and who nobody followed, cannot have what is proposed next follow what
// it made up.
func TestWhatRobotsFollow(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	r.featured()
	ana, evil := r.humans[0], r.humans[1]
	v := r.votes(r.suppliers(50_000))
	r.hear()
	forged := r.suppliers(60_000)
	forged.Robots, forged.Tolerate = r.keysOf(evil), 1
	b := &event.PolicyProposed{Bytes: policy.Encode(forged)}
	evil.must(says{b})
	evil.must(says{&event.PolicyApproved{Version: b.Version(evil.m.State.Group())}})
	evil.must(says{&event.PolicyAdopted{Version: b.Version(evil.m.State.Group())}})
	r.settle()
	if got := robot.Followed(ana.m.State); len(got) != 1 || got[0] != v {
		t.Fatalf("it is said that robots follow %v", got)
	}
	// That a member is against it later changes nothing of what is in force.
	ana.must(VotePolicy{Version: v, Against: true})
	evil.must(VotePolicy{Version: v, Against: true})
	r.hear()
	if got := robot.Followed(ana.m.State); !slices.Contains(got, v) {
		t.Fatalf("it is said that robots follow %v", got)
	}
}

// Who votes and what is proposed is told, of each once.
func TestVotesOnPoliciesAreTold(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	r.featured()
	ana, boris := r.humans[0], r.humans[1]
	v := ana.puts(ProposePolicy{Bytes: policy.Encode(r.suppliers(50_000))})
	r.settle()
	ana.must(VotePolicy{Version: v, Against: true})
	r.settle()
	var got []string
	for _, n := range boris.kept() {
		if n.Type == "policy" {
			if n.Detail != v.String() || n.By != ana.id() {
				t.Errorf("told %+v", n)
			}
			got = append(got, n.Status)
		}
	}
	if !slices.Equal(got, []string{"proposed", "approved", "objected"}) {
		t.Errorf("told %v", got)
	}
}
