// Package recurring says when a payment that a node is to propose by itself is due, and
// holds what the node keeps of it. It decides nothing and does nothing by itself.
package recurring

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Unit is what a rhythm counts.
type Unit string

// The units.
const (
	Day   Unit = "d"
	Week  Unit = "w"
	Month Unit = "mo"
	Year  Unit = "y"
)

// longest is how many of a unit lie between two payments at most: ten years.
var longest = map[Unit]int{Day: 3650, Week: 520, Month: 120, Year: 10}

// leastDays is how many days lie between two at least: who is paid again within a day of a
// payment's block may be paid twice, and that is asked about.
const leastDays = 2

// Rhythm is when a payment is due again and again: every so many days, weeks, months or
// years from a first day on, at one time of the day in one zone. The zero Rhythm is of
// what is due once.
type Rhythm struct {
	Every int  `cbor:"1,keyasint"`
	Unit  Unit `cbor:"2,keyasint"`
	// The first day it is due.
	FirstYear  int `cbor:"3,keyasint"`
	FirstMonth int `cbor:"4,keyasint"`
	FirstDay   int `cbor:"5,keyasint"`
	// Day is the day of the month that is meant: a month without it has its last day.
	Day    int    `cbor:"6,keyasint"`
	Minute int    `cbor:"7,keyasint"` // of the day
	Zone   string `cbor:"8,keyasint"` // of the IANA's list
}

// Wish is a rhythm as a person asks for it.
type Wish struct {
	Every string // 2d, 1w, 1mo, 1y
	On    string // a day of the month, or of the week; "" for that of From
	At    string // HH:MM; "" for the first minute of the day
	Zone  string // of the IANA's list; "" is UTC
	From  time.Time
}

// ErrWish is returned for a rhythm that nobody can mean.
var ErrWish = errors.New("no rhythm")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrWish, fmt.Sprintf(format, args...))
}

// Read makes a rhythm from a wish: it is first due on the first day that fits, not before
// w.From.
func Read(w Wish) (Rhythm, error) {
	var r Rhythm
	var err error
	if r.Every, r.Unit, err = readEvery(w.Every); err != nil {
		return Rhythm{}, err
	}
	if r.Minute, err = readMinute(w.At); err != nil {
		return Rhythm{}, err
	}
	zone, err := readZone(w.Zone)
	if err != nil {
		return Rhythm{}, err
	}
	r.Zone = zone.String()
	from := w.From.In(zone)
	weekday, day := from.Weekday(), from.Day()
	if w.On != "" {
		switch r.Unit {
		case Week:
			if weekday, err = readWeekday(w.On); err != nil {
				return Rhythm{}, err
			}
		case Month:
			if day, err = strconv.Atoi(w.On); err != nil || day < 1 || day > 31 {
				return Rhythm{}, bad("%.20q is no day of a month: it is from 1 to 31, and a shorter month has its last day", w.On)
			}
		default:
			return Rhythm{}, bad("a day is said of weeks and months: begin it with the day from which on it is due")
		}
	}
	first := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC) // a date alone
	switch r.Unit {
	case Week:
		first = first.AddDate(0, 0, int(weekday-first.Weekday()+7)%7)
	case Month:
		first = inMonth(first.Year(), first.Month(), day)
	}
	r.set(first)
	r.Day = day
	if r.Due(0).Before(w.From) {
		// The day is right, and its time is over: the next day that fits.
		switch r.Unit {
		case Day, Year:
			first = first.AddDate(0, 0, 1)
			r.Day = first.Day()
		case Week:
			first = first.AddDate(0, 0, 7)
		case Month:
			first = inMonth(first.Year(), first.Month()+1, day)
		}
		r.set(first)
	}
	return r, nil
}

func (r *Rhythm) set(first time.Time) {
	r.FirstYear, r.FirstMonth, r.FirstDay = first.Year(), int(first.Month()), first.Day()
}

// inMonth is a day of a month, or the last one of a shorter month.
func inMonth(year int, month time.Month, day int) time.Time {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return time.Date(year, month, min(day, last), 0, 0, 0, 0, time.UTC)
}

func readEvery(text string) (int, Unit, error) {
	n := strings.TrimLeft(text, "0123456789")
	unit := Unit(n)
	most, known := longest[unit]
	count, err := strconv.Atoi(text[:len(text)-len(n)])
	switch {
	case !known || err != nil:
		return 0, "", bad("%.20q: write 2d, 1w, 1mo or 1y", text)
	case unit == Day && count < leastDays:
		return 0, "", bad("%.20q: from one payment to the next it is %d days at least", text, leastDays)
	case count < 1 || count > most:
		return 0, "", bad("%.20q is not from 1%s to %d%s", text, unit, most, unit)
	}
	return count, unit, nil
}

func readMinute(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, bad("%.20q is no time of the day: write 09:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// zones are those that were read: reading one takes 50 µs, and each question takes many.
var zones sync.Map // string to *time.Location

func readZone(text string) (*time.Location, error) {
	if zone, ok := zones.Load(text); ok {
		return zone.(*time.Location), nil
	}
	if text == "Local" {
		return nil, bad("name the zone, as Europe/Berlin: another machine has another local time")
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, bad("%.60q is no time zone: write Europe/Berlin, or UTC", text)
	}
	zones.Store(text, zone) // there are some 600
	return zone, nil
}

func readWeekday(text string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); len(text) >= 3 && len(text) <= len(name) && strings.EqualFold(text, name[:len(text)]) {
			return d, nil
		}
	}
	return 0, bad("%.20q is no day of the week: write monday", text)
}

// Once says whether it is due once only.
func (r Rhythm) Once() bool { return r.Every == 0 }

// mostPeriods bounds how many periods are looked through: some 270 years of days.
const mostPeriods = 100_000

// Due is when a period begins, counted from 0.
func (r Rhythm) Due(period uint64) time.Time {
	n := int(min(period, mostPeriods)) * r.Every
	day := time.Date(r.FirstYear, time.Month(r.FirstMonth), r.FirstDay, 0, 0, 0, 0, time.UTC)
	switch r.Unit {
	case Day:
		day = day.AddDate(0, 0, n)
	case Week:
		day = day.AddDate(0, 0, 7*n)
	case Month:
		day = inMonth(r.FirstYear, time.Month(r.FirstMonth+n), r.Day)
	case Year:
		day = inMonth(r.FirstYear+n, time.Month(r.FirstMonth), r.Day)
	}
	zone, err := readZone(r.Zone)
	if err != nil {
		zone = time.UTC // it was there when it was asked for
	}
	// Go takes a time that a change of the clock leaves out for one beside it.
	return time.Date(day.Year(), day.Month(), day.Day(), r.Minute/60, r.Minute%60, 0, 0, zone)
}

// Latest returns the last period that is due at a time, and whether one is.
func (r Rhythm) Latest(now time.Time) (uint64, bool) {
	n := sort.Search(mostPeriods, func(n int) bool { return r.Due(uint64(n)).After(now) })
	return uint64(max(n-1, 0)), n > 0
}

// String says it in a few words.
func (r Rhythm) String() string {
	if r.Once() {
		return "once"
	}
	one := map[Unit]string{Day: "day", Week: "week", Month: "month", Year: "year"}[r.Unit]
	out := "every " + one
	if r.Every > 1 {
		out = fmt.Sprintf("every %d %ss", r.Every, one)
	}
	first := r.Due(0)
	switch r.Unit {
	case Week:
		out += " on " + first.Weekday().String()
	case Month:
		out += fmt.Sprintf(" on day %d", r.Day)
	case Year:
		out += " on " + first.Format("2 January")
	}
	return out + fmt.Sprintf(" at %02d:%02d %s", r.Minute/60, r.Minute%60, r.Zone)
}
