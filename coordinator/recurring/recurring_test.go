package recurring

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// What people ask for, and when it is due then: months without the day, years with
// 29 February, clocks that are put forward and back, a time of the day that is over.
func TestRhythms(t *testing.T) {
	const from = "2026-11-30T12:00:00Z"
	for _, tt := range []struct {
		wish Wish
		from string
		due  []string
		text string
	}{
		{Wish{Every: "1mo", On: "1", At: "09:00", Zone: "Europe/Berlin"}, from,
			[]string{"2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-02-01T08:00:00Z", "2027-03-01T08:00:00Z", "2027-04-01T07:00:00Z"}, "every month on day 1 at 09:00 Europe/Berlin"},
		{Wish{Every: "1mo", On: "31"}, from, []string{"2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"}, "every month on day 31 at 00:00 UTC"},
		{Wish{Every: "1mo"}, from, []string{"2026-12-30T00:00:00Z", "2027-01-30T00:00:00Z", "2027-02-28T00:00:00Z"}, "every month on day 30 at 00:00 UTC"},
		{Wish{Every: "3mo", On: "30", At: "23:59"}, from, []string{"2026-11-30T23:59:00Z", "2027-02-28T23:59:00Z", "2027-05-30T23:59:00Z"}, "every 3 months on day 30 at 23:59 UTC"},
		{Wish{Every: "2w", On: "monday", At: "10:00"}, from, []string{"2026-12-07T10:00:00Z", "2026-12-21T10:00:00Z"}, "every 2 weeks on Monday at 10:00 UTC"},
		{Wish{Every: "1w", On: "WED"}, from, []string{"2026-12-02T00:00:00Z", "2026-12-09T00:00:00Z"}, "every week on Wednesday at 00:00 UTC"},
		{Wish{Every: "1w", At: "13:00"}, from, []string{"2026-11-30T13:00:00Z", "2026-12-07T13:00:00Z"}, "every week on Monday at 13:00 UTC"},
		{Wish{Every: "2d", At: "02:30", Zone: "America/New_York"}, "2027-03-12T00:00:00Z", []string{"2027-03-12T07:30:00Z", "", "2027-03-16T06:30:00Z"}, "every 2 days at 02:30 America/New_York"},
		{Wish{Every: "2d", At: "02:30", Zone: "Europe/Berlin"}, "2026-10-23T00:00:00Z", []string{"2026-10-23T00:30:00Z", "", "2026-10-27T01:30:00Z"}, "every 2 days at 02:30 Europe/Berlin"},
		{Wish{Every: "1y"}, "2028-02-29T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z", "2030-02-28T00:00:00Z", "2031-02-28T00:00:00Z", "2032-02-29T00:00:00Z"}, "every year on 29 February at 00:00 UTC"},
		{Wish{Every: "2d"}, from, []string{"2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z"}, "every 2 days at 00:00 UTC"},
		{Wish{Every: "1mo", On: "30", Zone: "Pacific/Kiritimati"}, from, []string{"2026-12-29T10:00:00Z", "2027-01-29T10:00:00Z", "2027-02-27T10:00:00Z"}, "every month on day 30 at 00:00 Pacific/Kiritimati"},
	} {
		tt.wish.From = at(t, tt.from)
		r, err := Read(tt.wish)
		if err != nil {
			t.Errorf("%+v: %v", tt.wish, err)
			continue
		}
		if r.String() != tt.text {
			t.Errorf("%+v is %q, want %q", tt.wish, r, tt.text)
		}
		for n, want := range tt.due {
			if got := r.Due(uint64(n)).UTC().Format(time.RFC3339); got != want && want != "" { // a time that is not there, or twice
				t.Errorf("%s: period %d is due %s, want %s", tt.text, n, got, want)
			}
		}
	}
}

func TestNoRhythms(t *testing.T) {
	for _, w := range []Wish{
		{Every: ""}, {Every: "mo"}, {Every: "0d"}, {Every: "-1d"}, {Every: "1h"}, {Every: "1.5d"}, {Every: "1 mo"}, {Every: "1d"}, {Every: "3651d"}, {Every: "99999999999999999999d"}, {Every: "1MO"},
		{Every: "2d", On: "1"}, {Every: "1y", On: "1"}, {Every: "1mo", On: "0"}, {Every: "1mo", On: "32"}, {Every: "1mo", On: "monday"}, {Every: "1w", On: "1"}, {Every: "1w", On: "mo"}, {Every: "1w", On: "mondays"},
		{Every: "2d", At: "9"}, {Every: "2d", At: "24:00"}, {Every: "2d", At: "09:60"}, {Every: "2d", At: "-9:00"},
		{Every: "2d", Zone: "Mars/Olympus"}, {Every: "2d", Zone: "Local"}, {Every: "2d", Zone: "../../etc/passwd"},
	} {
		w.From = time.Unix(1_800_000_000, 0)
		if r, err := Read(w); !errors.Is(err, ErrWish) {
			t.Errorf("%+v is %v, %v", w, r, err)
		}
	}
}

// The latest period that is due is, the next one is not, and none is due before what was
// asked for.
func TestLatestIsDue(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		w := Wish{
			Every: rapid.SampledFrom([]string{"2d", "3d", "1w", "2w", "1mo", "5mo", "1y"}).Draw(t, "every"),
			At:    rapid.SampledFrom([]string{"", "00:00", "02:30", "23:59"}).Draw(t, "at"),
			Zone:  rapid.SampledFrom(zones).Draw(t, "zone"),
			From:  time.Unix(rapid.Int64Range(1_000_000_000, 4_000_000_000).Draw(t, "from"), 0),
		}
		r, err := Read(w)
		if err != nil {
			t.Fatal(err)
		}
		if first := r.Due(0); first.Before(w.From) || first.After(w.From.AddDate(1, 0, 2)) {
			t.Fatalf("%v from %v on is due first %v", r, w.From, first)
		}
		now := w.From.Add(time.Duration(rapid.Int64Range(-1, 40*366*86_400).Draw(t, "now")) * time.Second)
		n, due := r.Latest(now)
		if due && r.Due(n).After(now) || !due && !r.Due(0).After(now) || due && !r.Due(n+1).After(now) {
			t.Fatalf("%v at %v: period %d, %v", r, now, n, due)
		}
		if n > 0 && !r.Due(n).After(r.Due(n-1)) {
			t.Fatalf("%v: period %d does not follow", r, n)
		}
	})
}

// Two clocks have to agree that it is time, an end is one, and what was dealt with is not
// due again.
func TestDue(t *testing.T) {
	r, err := Read(Wish{Every: "2d", From: at(t, "2026-12-01T00:00:00Z")})
	r.Every = 1
	if err != nil {
		t.Fatal(err)
	}
	s := Schedule{Rhythm: r, Until: at(t, "2026-12-04T00:00:00Z").Unix()}
	now := func(clock, median string) Now { return Now{at(t, clock), at(t, median), 100} }
	for _, tt := range []struct {
		next          uint64
		clock, median string
		period        uint64
		due           bool
	}{
		{0, "2026-11-30T23:59:59Z", "2026-12-09T00:00:00Z", 0, false},
		{0, "2026-12-09T00:00:00Z", "2026-11-30T23:59:59Z", 0, false},
		{0, "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", 0, true},
		{0, "2026-12-02T12:00:00Z", "2026-12-02T11:00:00Z", 1, true},
		{2, "2026-12-02T12:00:00Z", "2026-12-02T11:00:00Z", 1, false},
		{1, "2026-12-03T12:00:00Z", "2026-12-03T11:00:00Z", 2, true},
		{0, "2026-12-30T12:00:00Z", "2026-12-30T11:00:00Z", 2, true},
		{3, "2026-12-30T12:00:00Z", "2026-12-30T11:00:00Z", 2, false},
	} {
		s.Next = tt.next
		if n, due := s.Due(now(tt.clock, tt.median)); due != tt.due || due && n != tt.period {
			t.Errorf("next %d at %s and %s: %d, %v", tt.next, tt.clock, tt.median, n, due)
		}
		if over := s.Over(); over != (tt.next == 3) {
			t.Errorf("next %d: over is %v", tt.next, over)
		}
	}
	once := Schedule{NotBefore: at(t, "2026-12-01T00:00:00Z").Unix(), Height: 200}
	for height, want := range map[int32]bool{199: false, 200: true} {
		if _, due := once.Due(Now{at(t, "2026-12-01T00:00:00Z"), at(t, "2026-12-01T00:00:00Z"), height}); due != want {
			t.Errorf("height %d: %v", height, due)
		}
	}
	if _, due := once.Due(Now{at(t, "2026-12-01T00:00:00Z"), at(t, "2026-11-30T23:00:00Z"), 300}); due {
		t.Error("it is due before the chain's time")
	}
	if once.Next = 1; !once.Over() {
		t.Error("what was due once is so again")
	}
}

// An occasion says nothing of its schedule, and no two are the same.
func TestOccasions(t *testing.T) {
	seen := map[[32]byte]bool{}
	for _, id := range []ID{{}, {1}, {15: 1}} {
		for n := range uint64(4) {
			h := Occasion{id, n}.Hash()
			if seen[h] || bytes.Contains(h[:], id[:]) && id != (ID{}) {
				t.Errorf("%v of period %d", id, n)
			}
			seen[h] = true
		}
	}
}

func TestRecords(t *testing.T) {
	r, err := Read(Wish{Every: "1mo", From: time.Unix(1_800_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	want := Schedule{ID: ID{7}, Rhythm: r, Outputs: []event.ProposalOutput{{PkScript: []byte{1}, Amount: 5, Label: "x"}}, All: 1, Last: journal.EntryID{3}, Next: 9, Problem: "p", Code: "c"}
	b, err := want.Record()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Record()
	if err != nil || !slices.Equal(again, b) || got.ID != want.ID || got.Rhythm != want.Rhythm || got.Last != want.Last || got.Next != 9 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ReadRecord(b[:len(b)-1]); err == nil {
		t.Error("a record that is cut off is read")
	}
}

// Whatever is asked for is refused, or is due first when it may be and not long after.
func FuzzRead(f *testing.F) {
	f.Add("1mo", "31", "09:00", "Europe/Berlin", int64(1_800_000_000))
	f.Add("2w", "monday", "", "", int64(1_800_000_000))
	f.Add("1y", "", "24:00", "Local", int64(-1))
	f.Add("99999999999999999999d", "-1", "9", "../UTC", int64(1<<40))
	f.Fuzz(func(t *testing.T, every, on, at, zone string, from int64) {
		if from < 0 || from > 1<<36 {
			t.Skip("no time that the service lets through")
		}
		w := Wish{every, on, at, zone, time.Unix(from, 0)}
		r, err := Read(w)
		if err != nil {
			if !errors.Is(err, ErrWish) || r != (Rhythm{}) {
				t.Fatalf("%+v, %v", r, err)
			}
			return
		}
		if first := r.Due(0); first.Before(w.From) || first.After(w.From.AddDate(1, 0, 2)) {
			t.Fatalf("%v from %v on is due first %v", r, w.From, first)
		}
		if n, due := r.Latest(w.From.Add(-time.Second)); due {
			t.Fatalf("%v: period %d is due before %v", r, n, w.From)
		}
		_ = r.String()
	})
}
