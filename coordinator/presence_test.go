package coordinator

import (
	"strings"
	"testing"
	"time"
)

// Keys count as long as they were seen: at first by the proof of their records, later by
// their signatures; also after a start, and by nobody's word but their owners'.
func TestPresence(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	begun := c.clock
	margins := func(want int, alarm string) {
		t.Helper()
		for _, restart := range []bool{false, true} {
			if restart {
				a.crash()
				a.must(Started{})
			}
			if n := Margin(a.m.Presence(c.clock), 2, c.clock); n != want {
				t.Errorf("margin %d, want %d: %+v", n, want, a.m.Presence(c.clock))
			}
			text := ""
			for _, x := range a.m.AlarmsAt(c.clock) {
				if x.Kind == AlarmMargin {
					text = x.Text
				}
			}
			if (text == "") != (alarm == "") || !strings.Contains(text, alarm) {
				t.Errorf("the alarm is %q, want %q", text, alarm)
			}
		}
	}
	margins(1, "") // all were seen: nobody can do more
	c.fund(1_000_000, 1_000_000)
	c.clock = begun.Add(SeenFor - time.Hour)
	a.must(pay(1, 100_000))
	c.settle()
	margins(1, "")
	c.clock = begun.Add(SeenFor + 24*time.Hour)
	margins(-1, "nothing shows that the wallet can still spend")
	x := pay(2, 100_000)
	x.Expires = c.clock.Add(time.Hour)
	fresh := b.must(x).(Proposed).Proposal
	c.settle()
	margins(0, "one more that is lost locks the wallet")
	if text := a.m.AlarmsAt(c.clock); !strings.Contains(text[len(text)-1].Text, "C (last on "+begun.UTC().Format(time.DateOnly)+")") || text[len(text)-1].Since.Before(begun.Add(SeenFor)) {
		t.Errorf("%+v", text)
	}
	c.peers[2].must(Approve{Proposal: fresh})
	c.settle()
	margins(1, "")
	for _, p := range a.m.Presence(begun) {
		if p.Signed.After(begun) || p.Proven.After(begun) {
			t.Errorf("%s was seen in the future", p.Member.Name)
		}
	}
	a.must(Archive{Allow: []string{"wallet_not_empty"}})
	c.clock = c.clock.Add(2 * SeenFor)
	for _, x := range a.m.AlarmsAt(c.clock) {
		if x.Kind == AlarmMargin {
			t.Error("a wallet that was put aside warns of its keys")
		}
	}
}

// A signature that claims to be of years ahead says nothing of when its key was seen.
func TestAWrongClockIsNotSeen(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	c.fund(1_000_000)
	begun := c.clock
	c.clock = begun.Add(5 * 365 * 24 * time.Hour)
	x := pay(1, 100_000)
	x.Expires = c.clock.Add(time.Hour)
	b.must(x)
	c.clock = begun.Add(time.Hour)
	c.settle()
	c.clock = begun.Add(SeenFor + 24*time.Hour)
	for _, p := range a.m.Presence(c.clock) {
		if p.Seen(c.clock) || p.At().After(begun.Add(time.Hour)) {
			t.Errorf("%s was seen at %v", p.Member.Name, p.At())
		}
	}
}
