package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// decimal reads a plain number as an integer of 10^-places.
func decimal(s string, places int) (int64, error) {
	number, part, point := strings.Cut(s, ".")
	if number == "" || point && part == "" || strings.Trim(number+part, "0123456789") != "" {
		return 0, errors.New("it is no number")
	}
	if len(part) > places {
		return 0, fmt.Errorf("it has more than %d decimal places", places)
	}
	v, err := strconv.ParseInt(number+part+strings.Repeat("0", places-len(part)), 10, 64)
	if err != nil {
		return 0, errors.New("it is too large")
	}
	return v, nil
}

// split cuts a quantity before its unit.
func split(s string) (number, unit string) {
	i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

var errUnit = errors.New("the unit is missing")

// amount reads "0.25btc", "250mBTC", "50000sat".
func amount(s string) (int64, error) {
	number, unit := split(s)
	places := 0
	switch {
	case unit == "":
		return 0, fmt.Errorf("%w: write \"0.25btc\" or \"50000sat\"", errUnit)
	case strings.EqualFold(unit, "sat"):
	case strings.EqualFold(unit, "btc"):
		places = 8
	case unit[0] == 'm' && strings.EqualFold(unit, "mbtc"): // with an M it is millions elsewhere
		places = 5
	default:
		return 0, errors.New("it is no amount: write \"0.25btc\" or \"50000sat\"")
	}
	v, err := decimal(number, places)
	if err == nil && (v == 0 || v > MaxAmount) {
		err = errors.New("it is not between 1 satoshi and 21 million bitcoin")
	}
	return v, err
}

// span reads "72h", "7d", "1d12h" as seconds.
func span(s string) (int64, error) {
	if number, unit := split(s); unit == "" && number != "" {
		return 0, fmt.Errorf("%w: write \"72h\", \"30m\" or \"7d\"", errUnit)
	}
	bad := errors.New("it is no length of time: write \"72h\", \"30m\" or \"7d\"")
	var sum int64
	for last, rest := 6, s; ; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits > 9 || digits == len(rest) {
			return 0, bad
		}
		n, _ := strconv.ParseInt(rest[:digits], 10, 64) // at most nine digits
		which := strings.IndexByte("smhdw", rest[digits])
		if which < 0 || which >= last {
			return 0, bad
		}
		sum += n * [...]int64{1, 60, 3600, 86400, 7 * 86400}[which]
		if last, rest = which, rest[digits+1:]; rest == "" {
			return sum, nil
		}
	}
}

// share reads "2%", "0.5%" as millionths.
func share(s string) (uint64, error) {
	number, unit := split(s)
	switch {
	case unit == "":
		return 0, fmt.Errorf("%w: write \"2%%\"", errUnit)
	case unit != "%":
		return 0, errors.New("it is no share: write \"2%\"")
	}
	v, err := decimal(number, 4)
	if err == nil && v > whole {
		err = errors.New("it is above 100%")
	}
	return uint64(max(v, 0)), err
}

// feeRate reads "200sat/vB" as satoshis for 1000 vbytes.
func feeRate(s string) (int64, error) {
	number, unit := split(s)
	switch {
	case unit == "":
		return 0, fmt.Errorf("%w: write \"200sat/vB\"", errUnit)
	case !strings.EqualFold(unit, "sat/vb"):
		return 0, errors.New("it is no fee rate: write \"200sat/vB\"")
	}
	v, err := decimal(number, 3)
	if err == nil && (v == 0 || v > maxFeeRate) {
		err = errors.New("it is not between 0.001 and 100000 sat/vB")
	}
	return v, err
}

// weekdays are the days of Hours, Monday the lowest bit.
func weekdays() []string { return []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} }

// hours reads "Mon-Fri 08:00-18:00 Europe/Berlin".
func hours(s string) (Hours, error) {
	f := strings.Fields(s)
	if len(f) != 3 {
		return Hours{}, errors.New("it has days, times and a zone: write \"Mon-Fri 08:00-18:00 Europe/Berlin\"")
	}
	var h Hours
	for part := range strings.SplitSeq(f[0], ",") {
		first, last, more := strings.Cut(part, "-")
		if !more {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return Hours{}, fmt.Errorf("%.20q is no day of the week: write Mon-Fri, or Mon,Wed,Sat", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			if h.Days |= 1 << d; d == to {
				break
			}
		}
	}
	from, to, ok := strings.Cut(f[1], "-")
	var good, fine bool
	h.From, good = minute(from)
	h.To, fine = minute(to)
	switch {
	case !ok || !good || !fine:
		return Hours{}, fmt.Errorf("%.20q are no times of a day: write 08:00-18:00", f[1])
	case h.From >= h.To:
		return Hours{}, fmt.Errorf("%s is empty: the end comes after the beginning; over midnight, write two", f[1])
	}
	h.Zone = f[2]
	_, err := LoadZone(h.Zone)
	return h, err
}

func weekday(s string) int {
	for i, d := range weekdays() {
		if strings.EqualFold(d, s) {
			return i
		}
	}
	return -1
}

// minute reads a time of the day, 24:00 too.
func minute(s string) (uint16, bool) {
	if len(s) != 5 || s[2] != ':' || strings.Trim(s[:2]+s[3:], "0123456789") != "" {
		return 0, false
	}
	h, _ := strconv.Atoi(s[:2]) // two digits each
	m, _ := strconv.Atoi(s[3:])
	return uint16(60*h + m), m < 60 && 60*h+m <= 1440
}
