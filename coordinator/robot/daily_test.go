package robot

import (
	"testing"

	"github.com/quorate/quorate/journal"
)

// What a robot says of one author's proposals and lets nothing out is bounded by the day,
// whatever it says; what it says of others' is not lessened by it.
func TestWhatIsSaidInADay(t *testing.T) {
	var d Desk
	ana, boris := journal.Author{1}, journal.Author{2}
	say := func(who journal.Author, now int64, denies bool) (said int) {
		for may := true; may && said < 1000; {
			if d, may = d.MaySay(who, now, denies); may {
				said++
			}
		}
		return said
	}
	for _, c := range []struct {
		who    journal.Author
		now    int64
		denies bool
		want   int
	}{
		{ana, 86_400, true, deniedEach},
		{ana, 86_400, false, saidEach - deniedEach},
		{ana, 2*86_400 - 1, false, 0},
		{boris, 86_400, false, saidEach},
		{boris, 86_400, true, 0},
		{ana, 2 * 86_400, true, deniedEach},
	} {
		if got := say(c.who, c.now, c.denies); got != c.want {
			t.Errorf("%+v: %d were said", c, got)
		}
	}
	if d.daily.Len() != 3 {
		t.Errorf("%d counts are kept of 2 authors", d.daily.Len())
	}
}
