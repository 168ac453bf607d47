package reason

import (
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

func TestSentences(t *testing.T) {
	const at = 1_800_000_000 // 2027-01-15 08:00 UTC
	p := &policy.Policy{
		Groups: []policy.Group{{Name: "board", Keys: policy.KeysOf(0, 1)}},
		Rules: []policy.Rule{{
			Name: "suppliers", Require: policy.Require{Delay: 3600},
			Steps: []policy.Step{{Who: policy.Who{Groups: []uint64{0}}, N: 1, Within: 60}, {Who: policy.Who{Keys: policy.KeysOf(1)}, N: 1}, {Who: policy.Who{Keys: policy.KeysOf(0)}}},
		}},
	}
	names := func(k policy.Key) string { return []string{"ana", "boris", "vault"}[k] }
	for _, x := range []struct {
		name string
		said Said
		want string
	}{
		{"signed", Said{Signed: true, Policy: p, Verdict: group.Verdict{Outcome: 1, Rule: 1}}, `vault signed it by rule 1, "suppliers".`},
		{"signed on an answer", Said{Signed: true, Policy: p, Verdict: group.Verdict{Outcome: 1, Rule: 1, Step: 1}}, `vault signed it by rule 1, "suppliers", with the approvals that it asked for.`},
		{"signs", Said{Policy: p, Verdict: group.Verdict{Outcome: 1, Rule: 1}}, `vault signs it by rule 1, "suppliers"; its signatures are not here yet.`},
		{"shadow", Said{Policy: p, Verdict: group.Verdict{Outcome: 1, Rule: 1, Shadow: true}}, `vault, which only says what a robot would do, would sign it by rule 1, "suppliers".`},
		{"waits", Said{Verdict: group.Verdict{Outcome: 2, Reasons: []string{"start_quorum"}}}, "vault waits: too few of the other members were heard since it started."},
		{"waited", Said{Over: true, Verdict: group.Verdict{Outcome: 2, Reasons: []string{"paused"}}}, "vault waited: its operator has paused the robot."},
		{"delay", Said{Policy: p, Verdict: group.Verdict{Outcome: 2, Rule: 1, Reasons: []string{"delay"}, Fulfilled: at}}, `vault waits: the delay of the rule runs, until 2027-01-15 09:00 UTC, unless somebody rejects it (rule 1, "suppliers").`},
		{"asks one of some", Said{Policy: p, Verdict: group.Verdict{Outcome: 3, Rule: 1, Step: 1, Until: at, Reasons: []string{"amount_max"}}}, `vault asks ana, boris until 2027-01-15 08:00 UTC, and signs with the approval of 1 of them, since it pays more than the rule lets be paid (rule 1, "suppliers").`},
		{"asks all", Said{Policy: p, Verdict: group.Verdict{Outcome: 3, Rule: 1, Step: 2, Until: at, Reasons: []string{"rule"}}}, `vault asks boris until 2027-01-15 08:00 UTC, and signs with their approval, since rule 1, "suppliers" says so.`},
		{"asks humans", Said{Policy: p, Verdict: group.Verdict{Outcome: 3, Rule: 1, Step: 3, Until: at, Reasons: []string{"rule"}}}, `vault asks ana until 2027-01-15 08:00 UTC; whatever they say, it does not sign: the humans' signatures decide, since rule 1, "suppliers" says so.`},
		{"asks by a policy that is not readable", Said{Verdict: group.Verdict{Outcome: 3, Rule: 1, Step: 9, Until: at, Reasons: []string{"rule"}}}, `vault asks humans until 2027-01-15 08:00 UTC, since rule 1 says so.`},
		{"denies", Said{Verdict: group.Verdict{Outcome: 4, Reasons: []string{"no_rule"}}}, "vault denies it: no rule of the policy is for it."},
		{"denies for two", Said{Policy: p, Verdict: group.Verdict{Outcome: 4, Rule: 1, Reasons: []string{"amount_max", "coin_frozen"}}}, `vault denies it: it pays more than the rule lets be paid; a member froze a coin of it (rule 1, "suppliers").`},
	} {
		x.said.Robot, x.said.Names = "vault", names
		if got := x.said.Sentence(); got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", x.name, got, x.want)
		}
	}
}
