package ops_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// The demo with a robot: it signs one payment, denies one and asks about one, all of it in
// real nodes, and the story has its reasons.
func TestDemoWithARobot(t *testing.T) {
	var story bytes.Buffer
	r, err := ops.Demo(t.Context(), ops.DemoOptions{Cosigners: 3, Threshold: 2, Spends: 1, Robot: true, Out: &story})
	if err != nil {
		t.Fatalf("%v\n%s", err, &story)
	}
	d := r.Robot
	if d == nil || d.Robot.Name != "vault" || len(d.Version) != 64 || len(d.Sentences) < 5 || len(d.Payments) != 3 {
		t.Fatalf("the robot did %+v", d)
	}
	for i, want := range []struct {
		outcome, code, says string
		mined               bool
	}{
		{"sign", "", `vault signed it by rule 1, "suppliers".`, true},
		{"deny", "no_rule", "vault denies it: no rule of the policy is for it.", false},
		{"ask", "amount_max", `it does not sign: the humans' signatures decide, since it pays more than the rule lets be paid (rule 1, "suppliers").`, true},
	} {
		p := d.Payments[i]
		if p.Outcome != want.outcome || !strings.Contains(p.Text, want.says) || (p.TxID != "") != want.mined || !strings.Contains(story.String(), "  "+p.Text+"\n") {
			t.Errorf("payment %d: %+v", i+1, p)
		}
		if got := len(p.Reasons) == 1 && p.Reasons[0].Code == want.code; got != (want.code != "") {
			t.Errorf("payment %d, for %+v", i+1, p.Reasons)
		}
	}
	// What it signed counts, with the fee, and what people signed does not.
	if first := d.Payments[0].Amount; d.Taken <= first || d.Taken > first+first/50 || d.Limit != 20_000_000 {
		t.Errorf("of %d it has used %d", d.Limit, d.Taken)
	}
	if len(r.Spends) != 2 || !r.Spends[0].Confirmed || !r.Spends[1].Confirmed || r.Spends[0].TxID != string(d.Payments[0].TxID) || r.Spends[1].TxID != string(d.Payments[2].TxID) {
		t.Errorf("mined: %+v", r.Spends)
	}
	for _, line := range d.Sentences {
		if !strings.Contains(story.String(), "    "+line+"\n") {
			t.Errorf("the story does not say %q", line)
		}
	}
	b, err := json.Marshal(d)
	if err != nil || !bytes.Contains(b, []byte(`"txid":null`)) {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

// A robot has a story of its own.
func TestDemoWithARobotOfAnotherSize(t *testing.T) {
	for _, o := range []ops.DemoOptions{{Cosigners: 4, Threshold: 2, Spends: 1}, {Cosigners: 3, Threshold: 3, Spends: 1}, {Cosigners: 3, Threshold: 2, Spends: 2}} {
		o.Robot = true
		if _, err := ops.Demo(t.Context(), o); codeOf(err) != "bad_demo" {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func codeOf(err error) string {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
