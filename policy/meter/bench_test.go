package meter

import (
	"runtime"
	"testing"
)

// many is a Book of 10,000 transactions that are outstanding, and as many that were buried in
// the 30 days before now.
func many() (b Book, now int64) {
	now = 1_700_000_000
	for n := range 20_000 {
		s := Signed{txOf(n), []Coin{coinOf(2 * n), coinOf(2*n + 1)}, []Take{{All, 1000}, {"i1", 1000}}, now}
		if b = b.Sign(s); n%2 == 0 {
			b = b.Bury(s.Tx, s.Coins, now-int64(n)*129)
		}
	}
	return b, now
}

func BenchmarkUsed(bench *testing.B) {
	b, now := many()
	for name, window := range map[string]int64{"day": 86400, "month": 30 * 86400, "year": Longest} {
		bench.Run(name, func(bench *testing.B) {
			for i := range bench.N {
				b.Used(All, window, now+int64(i%7200))
			}
		})
	}
}

func BenchmarkLapses(bench *testing.B) {
	b, now := many()
	for bench.Loop() {
		b.Lapses(All, 30*86400, now, 9_000_000)
	}
}

func BenchmarkCharge(bench *testing.B) {
	b, _ := many()
	coins := []Coin{coinOf(1), coinOf(77), coinOf(9000), coinOf(39_000)}
	for bench.Loop() {
		b.Charge(coins, Take{All, 5000})
	}
}

func BenchmarkSign(bench *testing.B) {
	b, now := many()
	for bench.Loop() {
		b.Sign(Signed{txOf(30_000), []Coin{coinOf(60_000), coinOf(60_001)}, []Take{{All, 1000}, {"i1", 1000}}, now})
	}
}

func BenchmarkBury(bench *testing.B) {
	b, now := many()
	for bench.Loop() {
		b.Bury(txOf(1), []Coin{coinOf(2), coinOf(3)}, now)
	}
}

// BenchmarkYears signs and buries a transaction an hour for years; what is kept is that of the
// last.
func BenchmarkYears(bench *testing.B) {
	var b Book
	n := 0
	for bench.Loop() {
		at := 1_700_000_000 + int64(n)*3600
		s := Signed{txOf(n), []Coin{coinOf(n)}, []Take{{All, 1000}}, at}
		b = b.Sign(s).Bury(s.Tx, s.Coins, at).Prune(at)
		n++
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	bench.ReportMetric(float64(b.signed.Len()), "kept")
	bench.ReportMetric(float64(m.HeapAlloc)/1e6, "MB")
}
