package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/quorate/quorate/api/access"
)

// How much one token may ask. Who is on the Unix socket is not counted.
const (
	requestRate  = rate.Limit(50) // a second
	requestBurst = 200
	// costlyRate is for each of the routes that do something, or walk a history.
	costlyRate  = rate.Limit(5)
	costlyBurst = 30
	// maxBuckets is how many there are at once: more than there are tokens.
	maxBuckets = 16384
)

// costly are routes that walk a history; every POST is one besides.
var costly = []string{"GET /v1/wallets/{wallet}/log", "GET /v1/wallets/{wallet}/history"}

type bucket struct{ owner, route string }

// rates count what each token asks.
type rates struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[bucket]*rate.Limiter
}

// take counts a request, and says how long to wait where there are too many.
func (x *rates) take(c access.Caller, method, pattern string) (time.Duration, bool) {
	if c.May(access.Local) {
		return 0, true
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	now, who := x.now(), owner(c)
	if c.Root != "" {
		who = "token " + c.Root // what it makes asks no more with it than it alone
	}
	if wait, ok := x.one(bucket{who, ""}, requestRate, requestBurst, now); !ok {
		return wait, false
	}
	if method == http.MethodPost || slices.Contains(costly, pattern) {
		return x.one(bucket{who, pattern}, costlyRate, costlyBurst, now)
	}
	return 0, true
}

func (x *rates) one(b bucket, limit rate.Limit, burst int, now time.Time) (time.Duration, bool) {
	l := x.buckets[b]
	if l == nil {
		if len(x.buckets) >= maxBuckets {
			clear(x.buckets) // they are full again; it takes as many tokens to get here
		}
		l = rate.NewLimiter(limit, burst)
		x.buckets[b] = l
	}
	if l.AllowN(now, 1) {
		return 0, true
	}
	return time.Duration((1 - l.TokensAt(now)) / float64(limit) * float64(time.Second)), false
}

// tooMany refuses a request, and says when to come again.
func tooMany(w http.ResponseWriter, wait time.Duration) *Error {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return Refuse("too_many_requests", "this token asks too much at once", fmt.Sprintf("wait %d s, or follow GET /v1/events, or use ?wait= and after=", seconds)).as(http.StatusTooManyRequests)
}
