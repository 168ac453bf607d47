package ceiling

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is asked, settled and cut off in whatever order: of what was signed, those that can
// all be mined never take more than the limit together with what was settled in the window.
func TestLimitHolds(t *testing.T) {
	const limit = 100_000
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk(t, limit)
		defer func() { _ = d.Close() }()
		type one struct {
			takes int64
			coins []byte
			gone  bool
			at    int64 // of what was settled
		}
		var signed []one
		var ids [][32]byte
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"sign", "sign", "sign", "settle", "coin", "restart", "wait"}).Draw(rt, "step") {
			case "sign":
				coins := rapid.SliceOfNDistinct(rapid.ByteRange(1, 5), 1, 3, rapid.ID[byte]).Draw(rt, "coins")
				amount := rapid.Int64Range(500, 60_000).Draw(rt, "amount")
				s := d.spend(rapid.ByteRange(1, 2).Draw(rt, "to"), amount, coins...)
				if d.sign(s) == nil && !slices.Contains(ids, [32]byte(s.TxID())) {
					signed, ids = append(signed, one{takes: amount + 1000, coins: coins}), append(ids, s.TxID())
				}
			case "settle":
				if len(signed) == 0 {
					continue
				}
				n := rapid.IntRange(0, len(signed)-1).Draw(rt, "which")
				if signed[n].gone || d.Settle([]Settled{{Tx: ids[n]}}) != nil {
					continue
				}
				signed[n].at = d.now
				for i := range signed {
					signed[i].gone = signed[i].gone || slices.ContainsFunc(signed[i].coins, func(c byte) bool { return slices.Contains(signed[n].coins, c) })
				}
			case "coin":
				c := rapid.ByteRange(1, 5).Draw(rt, "coin")
				if d.Settle([]Settled{{Tx: [32]byte{c}, Coin: new(uint32)}}) == nil {
					for i := range signed {
						signed[i].gone = signed[i].gone || slices.Contains(signed[i].coins, c)
					}
				}
			case "restart":
				d.restart()
			case "wait":
				d.now += rapid.Int64Range(1, 30*3600).Draw(rt, "seconds")
			}
			var best int64
			for set := range 1 << len(signed) {
				var sum int64
				used, ok := map[byte]bool{}, true
				for n, x := range signed {
					if set&(1<<n) == 0 {
						continue
					}
					ok = ok && !x.gone
					for _, c := range x.coins {
						ok = ok && !used[c]
						used[c] = true
					}
					sum += x.takes
				}
				if ok {
					best = max(best, sum)
				}
			}
			for _, x := range signed {
				if x.at > 0 && x.at >= d.now-86400 {
					best += x.takes
				}
			}
			if best > limit {
				rt.Fatalf("%d of %d may leave: %+v", best, limit, signed)
			}
		}
	})
}
