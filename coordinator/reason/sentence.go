package reason

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/policy"
)

// Said is what a robot said last of a proposal, and what it takes to tell it.
type Said struct {
	Robot   string // what it is called
	Verdict group.Verdict
	Policy  *policy.Policy // that it went by; nil where none was, or it cannot be read here
	Names   func(policy.Key) string
	Signed  bool // its key signed all of it
	Over    bool // it was decided, by whomever
}

// Silent is the sentence of a robot that said nothing of a proposal.
func Silent(robot string) string {
	return display.Line(robot) + " has said nothing of it: its node has not seen it, or is not there, or it came after too many of the same author that wait."
}

// Sentence tells it.
func (x Said) Sentence() string {
	v := x.Verdict
	who := display.Line(x.Robot)
	if v.Shadow {
		who += ", which only says what a robot would do,"
	}
	switch policy.Outcome(v.Outcome) {
	case policy.OutcomeSign:
		return who + " " + x.signs() + "."
	case policy.OutcomeWait:
		return who + " " + x.verb("waits", "waited") + ": " + All(v.Reasons) + x.until() + x.by() + "."
	case policy.OutcomeAsk:
		return who + " " + x.asks() + ", since " + x.why() + "."
	}
	return who + " denies it: " + x.why() + "."
}

func (x Said) signs() string {
	by := ""
	if r := x.Rule(); r != "" {
		by = " by " + r
	}
	if x.Verdict.Step > 0 {
		by += ", with the approvals that it asked for"
	}
	switch {
	case x.Verdict.Shadow:
		return "would sign it" + by
	case x.Signed:
		return "signed it" + by
	}
	return "signs it" + by + "; its signatures are not here yet"
}

// until says when a delay that runs is over.
func (x Said) until() string {
	if r := x.rule(); r != nil && x.Verdict.Fulfilled > 0 && r.Require.Delay > 0 && slices.Contains(x.Verdict.Reasons, string(policy.ReasonDelay)) {
		return ", until " + moment(x.Verdict.Fulfilled+r.Require.Delay) + ", unless somebody rejects it"
	}
	return ""
}

func (x Said) by() string {
	if r := x.Rule(); r != "" {
		return " (" + r + ")"
	}
	return ""
}

// why is all reasons; where the rule alone is one, the rule.
func (x Said) why() string {
	r := x.Rule()
	if len(x.Verdict.Reasons) == 1 && x.Verdict.Reasons[0] == string(policy.ReasonRule) && r != "" {
		return r + " says so"
	}
	return All(x.Verdict.Reasons) + x.by()
}

func (x Said) asks() string {
	v := x.Verdict
	ask := x.verb("asks", "asked")
	r := x.rule()
	if r == nil || v.Step == 0 || v.Step > uint64(len(r.Steps)) {
		return ask + " humans until " + moment(v.Until)
	}
	step := r.Steps[v.Step-1]
	of := x.Asked()
	names := strings.Join(of, ", ")
	if step.N == 0 {
		return fmt.Sprintf("%s %s until %s; whatever they say, it does not sign: the humans' signatures decide", ask, names, moment(v.Until))
	}
	if uint64(len(of)) == step.N {
		return fmt.Sprintf("%s %s until %s, and signs with their approval", ask, names, moment(v.Until))
	}
	return fmt.Sprintf("%s %s until %s, and signs with the approval of %d of them", ask, names, moment(v.Until), step.N)
}

func (x Said) verb(now, then string) string {
	if x.Over {
		return then
	}
	return now
}

// Asked lists who is asked, by their names.
func (x Said) Asked() []string {
	var out []string
	for _, k := range x.AskedKeys() {
		out = append(out, display.Line(x.Names(k)))
	}
	return out
}

// AskedKeys are the keys of those who are asked, ascending.
func (x Said) AskedKeys() (out []policy.Key) {
	r, v := x.rule(), x.Verdict
	if r == nil || policy.Outcome(v.Outcome) != policy.OutcomeAsk || v.Step == 0 || v.Step > uint64(len(r.Steps)) {
		return nil
	}
	of := x.Policy.Keys(r.Steps[v.Step-1].Who)
	for k := range policy.Key(policy.MaxKeys) {
		if of.Has(k) {
			out = append(out, k)
		}
	}
	return out
}

func (x Said) rule() *policy.Rule {
	if x.Policy == nil || x.Verdict.Rule == 0 || x.Verdict.Rule > uint64(len(x.Policy.Rules)) {
		return nil
	}
	return &x.Policy.Rules[x.Verdict.Rule-1]
}

// RuleName is what the policy calls the rule that decided, or "".
func (x Said) RuleName() string {
	if r := x.rule(); r != nil {
		return display.Line(r.Name)
	}
	return ""
}

// Rule names the rule that decided, or is "" where none did.
func (x Said) Rule() string {
	switch r := x.rule(); {
	case r != nil:
		return fmt.Sprintf("rule %d, %q", x.Verdict.Rule, display.Line(r.Name))
	case x.Verdict.Rule > 0:
		return fmt.Sprintf("rule %d", x.Verdict.Rule)
	}
	return ""
}

func moment(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC") }
