package robot

import (
	"testing"

	"github.com/quorate/quorate/journal"
)

// Who writes what cannot be read has a robot wait for an hour of each day, and not again before
// all of it was readable.
func TestUnreadIsAwaitedForAnHourOfADay(t *testing.T) {
	a, b := journal.Author{1}, journal.Author{2}
	var d Desk
	if !d.Awaits(a, 5) {
		t.Error("what is new is not waited for")
	}
	d = d.Unread([]journal.Author{a}, 10)
	for _, c := range []struct {
		who   journal.Author
		tick  uint64
		waits bool
	}{{a, 10, true}, {a, 9 + unreadTicks, true}, {a, 10 + unreadTicks, false}, {a, 10 + unreadAgain, false}, {b, 10 + unreadAgain, true}} {
		if d.Awaits(c.who, c.tick) != c.waits {
			t.Errorf("author %d, tick %d: %v", c.who[0], c.tick, !c.waits)
		}
	}
	before := d
	if d = d.Unread([]journal.Author{a, b}, 5000); !d.Awaits(b, 5000+unreadTicks-1) || d.Awaits(b, 5000+unreadTicks) {
		t.Error("another one's hour is not its own")
	}
	if !before.Awaits(b, 5000+unreadTicks) {
		t.Error("a desk changed in place")
	}
	if again := d.Unread([]journal.Author{a}, 10+unreadAgain); again.Awaits(a, 10+unreadAgain) {
		t.Error("it is waited for again though it never ended")
	}
	if early := d.Unread(nil, 9+unreadAgain); early.Awaits(a, 9+unreadAgain) {
		t.Error("it is waited for again on the same day")
	}
	if again := d.Unread(nil, 10+unreadAgain); !again.Awaits(a, 10+unreadAgain) {
		t.Error("it is not waited for on another day")
	}
}
