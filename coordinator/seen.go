package coordinator

import (
	"time"

	"github.com/quorate/quorate/coordinator/group"
)

// SeenFor is for how long a key counts as one that can sign, after it was seen to.
const SeenFor = 100 * 24 * time.Hour

// skew is by how much the clock of another may be ahead.
const skew = 2 * time.Hour

// PingEach is after how long without a sign of a key a person is reminded to ask.
const PingEach = 90 * 24 * time.Hour

// RoundLife is for how long a round is open: who pings then joins in.
const RoundLife = 7 * 24 * time.Hour

// near says whether an entry claims to be less than so far from now, before or after.
func near(x group.Ref, now time.Time, d time.Duration) bool {
	return now.Sub(time.UnixMilli(x.Time)).Abs() < d
}
