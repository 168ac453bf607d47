package coinselect

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// FeeRate is a fee rate in satoshis per 1000 virtual bytes, the unit of Core's
// CFeeRate.
type FeeRate int64

// DustRelayFeeRate is the rate at which Core judges dust (DUST_RELAY_TX_FEE,
// policy.h): 3000 satoshis per 1000 vbytes.
const DustRelayFeeRate FeeRate = 3000

// MaxFeeRate is the highest rate accepted from outside: 1,000,000 sat/vB. At
// it the smallest possible spend costs more than one bitcoin, so anything
// above is a mistake of unit, not a wish.
const MaxFeeRate FeeRate = 1_000_000 * 1000

// ErrFeeRate says that a fee rate is not a number, zero, negative or absurd.
var ErrFeeRate = errors.New("fee rate out of range")

// FeeRateFromSatVB converts satoshis per vbyte, as people and estimators state
// it, rounding to the nearest satoshi per 1000 vbytes. What is not a number,
// not above zero, rounds to zero or exceeds MaxFeeRate is refused with
// ErrFeeRate.
func FeeRateFromSatVB(satPerVB float64) (FeeRate, error) {
	switch {
	case math.IsNaN(satPerVB) || math.IsInf(satPerVB, 0):
		return 0, fmt.Errorf("%w: %v sat/vB is not a finite number", ErrFeeRate, satPerVB)
	case satPerVB <= 0:
		return 0, fmt.Errorf("%w: %v sat/vB is not above zero", ErrFeeRate, satPerVB)
	case satPerVB > MaxFeeRate.SatPerVB():
		return 0, fmt.Errorf("%w: %v sat/vB is above the limit of %v", ErrFeeRate, satPerVB, MaxFeeRate.SatPerVB())
	}
	rate := FeeRate(math.Round(satPerVB * 1000))
	if rate == 0 {
		return 0, fmt.Errorf("%w: %v sat/vB is below the smallest rate of 0.001", ErrFeeRate, satPerVB)
	}
	return rate, nil
}

// SatPerVB gives the rate in satoshis per vbyte, for showing.
func (r FeeRate) SatPerVB() float64 { return float64(r) / 1000 }

// String gives the rate as people write it, such as "2.5 sat/vB".
func (r FeeRate) String() string { return fmt.Sprintf("%g sat/vB", r.SatPerVB()) }

// Fee gives the fee in satoshis for a transaction, or a part of one, of so
// many virtual bytes. It rounds up, so that the fee paid is never below the
// rate. A rate or size not above zero costs nothing; a product beyond int64 is
// math.MaxInt64, which no balance can pay.
func (r FeeRate) Fee(vsize int64) int64 {
	if r <= 0 || vsize <= 0 {
		return 0
	}
	return mulDivUp(int64(r), vsize, 1000)
}

// mulDivUp is a*b/d rounded up, for a and b of at least zero and d above it;
// math.MaxInt64 where that does not fit.
func mulDivUp(a, b, d int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, carry := bits.Add64(lo, uint64(d-1), 0)
	if hi += carry; hi >= uint64(d) {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(hi, lo, uint64(d))
	return int64(min(quotient, math.MaxInt64))
}
