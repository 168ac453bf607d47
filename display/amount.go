package display

import (
	"fmt"
	"strconv"
	"strings"
)

// wholeBTC is the amount in satoshis from which on amounts are shown in bitcoin:
// below it a number of satoshis is shorter, and nobody has to count zeros.
const wholeBTC = 100_000

// Unit is what amounts are shown in.
type Unit uint8

// The units.
const (
	Satoshi Unit = iota
	Bitcoin
)

// UnitOf is the unit for amounts that stand together, as in one column: bitcoin
// where any of them is 100,000 satoshis or more.
func UnitOf(sat ...int64) Unit {
	for _, s := range sat {
		if s >= wholeBTC || s <= -wholeBTC {
			return Bitcoin
		}
	}
	return Satoshi
}

// Amount shows an amount of satoshis with its unit, wherever a person reads one:
// "25,000 sat", "5,700.00000000 BTC".
func Amount(sat int64) string { return UnitOf(sat).Of(sat) }

// Of shows an amount of satoshis in a unit.
func (u Unit) Of(sat int64) string {
	// Of the smallest int64 there is no positive one.
	sign, abs := "", uint64(sat)
	if sat < 0 {
		sign, abs = "-", -abs
	}
	if u == Satoshi {
		return sign + Group(abs) + " sat"
	}
	return fmt.Sprintf("%s%s.%08d BTC", sign, Group(abs/100_000_000), abs%100_000_000)
}

// Plain shows an amount as every program and this one's command line read it, in
// bitcoin and without its unit: "0.00025".
func Plain(sat int64) string {
	sign, abs := "", uint64(sat)
	if sat < 0 {
		sign, abs = "-", -abs
	}
	whole, part := abs/100_000_000, strings.TrimRight(fmt.Sprintf("%08d", abs%100_000_000), "0")
	if part == "" {
		part = "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, whole, part)
}

// Group shows a number with a comma between its thousands.
func Group(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
