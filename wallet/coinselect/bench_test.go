package coinselect

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkSelect10000(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var mixed, similar, small []int64
	for range 10_000 {
		mixed = append(mixed, 1000+int64(rng.ExpFloat64()*1_000_000))
		similar = append(similar, 100_000+rng.Int64N(5))
		small = append(small, 2000+rng.Int64N(500))
	}
	for _, c := range []struct {
		name string
		r    Request
		rate FeeRate
	}{
		{"mixed", testRequest(25_000_000, mixed...), 5000},
		{"mixed/dear", testRequest(25_000_000, mixed...), 50_000},
		{"similar", testRequest(30_000_000, similar...), 5000},
		{"similar/dear", testRequest(20_050_000, similar...), 50_000},
		{"many inputs", testRequest(60_000_000, similar...), 5000},
		{"too heavy", testRequest(5_000_000, small...), 1000},
		{"insufficient", testRequest(maxAmount/2, mixed...), 5000},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.r.FeeRate = c.rate
			var s Selection
			var err error
			for i := 0; b.Loop(); i++ {
				c.r.Seed[0] = byte(i)
				s, err = selectCoins(c.r)
			}
			if err == nil {
				checkSelection(b, c.r, s, testInputWeight)
			}
		})
	}
}
