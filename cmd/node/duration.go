package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// span is a length of time as people write one: 3d, 2w, 36h, 1d12h.
type span time.Duration

var daysFirst = regexp.MustCompile(`^(?:(\d{1,3})w)?(?:(\d{1,4})d)?(.*)$`)

// Set implements pflag.Value.
func (s *span) Set(text string) error {
	m := daysFirst.FindStringSubmatch(text)
	if text == "" || m == nil {
		return errSpan
	}
	weeks, _ := strconv.Atoi("0" + m[1]) // digits, by the expression
	days, _ := strconv.Atoi("0" + m[2])
	d := time.Duration(7*weeks+days) * 24 * time.Hour
	if m[3] != "" {
		rest, err := time.ParseDuration(m[3])
		if err != nil || d > 0 && rest < 0 || rest > 0 && d+rest < 0 {
			return errSpan
		}
		d += rest
	}
	if d > maxSpan {
		return errSpan
	}
	*s = span(d)
	return nil
}

// maxSpan is the longest that is read: so many days as fit into what daysFirst reads, so
// that what String writes is read again.
const maxSpan = 9999 * 24 * time.Hour

var errSpan = fmt.Errorf("write 3d, 2w, 36h or 90m")

// String implements pflag.Value.
func (s *span) String() string {
	d := time.Duration(*s)
	if day := 24 * time.Hour; d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

// Type implements pflag.Value.
func (s *span) Type() string { return "duration" }
