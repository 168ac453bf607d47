package coinselect

import (
	"testing"

	"pgregory.net/rapid"
)

func TestDeficit(t *testing.T) {
	const rate = FeeRate(10_000) // 10 sat/vB
	for name, tt := range map[string]struct {
		all  []Ancestor
		want int64
	}{
		"none":                            {nil, 0},
		"one that lacks":                  {[]Ancestor{{Fee: 200, VSize: 100}}, 800},
		"one that pays more":              {[]Ancestor{{Fee: 2000, VSize: 100}}, 0},
		"a parent and its parent":         {[]Ancestor{{Fee: 200, VSize: 100, Parents: []int{1}}, {Fee: 100, VSize: 200}}, 2700},
		"a parent that pays for its own":  {[]Ancestor{{Fee: 2900, VSize: 100, Parents: []int{1}}, {Fee: 100, VSize: 200}}, 0},
		"a parent that pays a part of it": {[]Ancestor{{Fee: 1900, VSize: 100, Parents: []int{1}}, {Fee: 100, VSize: 200}}, 1000},
		"a rich grandparent":              {[]Ancestor{{Fee: 100, VSize: 100, Parents: []int{1}}, {Fee: 9000, VSize: 100}}, 900},
		"two beside each other":           {[]Ancestor{{Fee: 500, VSize: 100}, {Fee: 3000, VSize: 100}}, 500},
		"one that two spend":              {[]Ancestor{{Fee: 1000, VSize: 100, Parents: []int{2}}, {Fee: 1000, VSize: 100, Parents: []int{2}}, {Fee: 0, VSize: 100}}, 1000},
		"what is not there":               {[]Ancestor{{Fee: 200, VSize: 100, Parents: []int{7, -1}}}, 800},
		"itself":                          {[]Ancestor{{Fee: 200, VSize: 100, Parents: []int{0}}}, 800},
	} {
		if got := Deficit(rate, tt.all); got != tt.want {
			t.Errorf("%s lack %d, want %d", name, got, tt.want)
		}
	}
}

// What is lacking is at most what the worst set lacks that miners may leave behind, and at
// least what all together do; of a chain, each spending the one before, it is just the first.
func TestDeficitIsEnoughAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := FeeRate(rapid.Int64Range(1000, 20_000).Draw(t, "rate"))
		var all []Ancestor
		chain := rapid.Bool().Draw(t, "chain")
		for i := range rapid.IntRange(0, 7).Draw(t, "ancestors") {
			x := Ancestor{Fee: rapid.Int64Range(0, 4000).Draw(t, "fee"), VSize: rapid.Int64Range(60, 400).Draw(t, "size")}
			for k := range i { // of those before it alone: no circles
				if chain && k == i-1 || !chain && rapid.IntRange(0, 2).Draw(t, "spends") == 0 {
					x.Parents = append(x.Parents, k)
				}
			}
			all = append(all, x)
		}
		got := Deficit(rate, all)
		// What is lacking of the whole, less the best set that miners take by itself.
		worst, whole := int64(-1), int64(0)
		for set := range 1 << len(all) {
			closed := true
			var fee, size int64
			for i, x := range all {
				if set>>i&1 == 0 {
					fee, size = fee+x.Fee, size+x.VSize
					continue
				}
				for _, k := range x.Parents {
					closed = closed && set>>k&1 == 1
				}
			}
			lack := rate.Fee(size) - fee
			if closed {
				worst = max(worst, lack)
			}
			if set == 0 {
				whole = lack
			}
		}
		// Sizes are rounded up, each by itself.
		if n := int64(len(all)); got < max(0, whole)-n || got > max(0, worst)+n || chain && got < max(0, worst)-n {
			t.Fatalf("%d is lacking of %+v at %v, want from %d to %d", got, all, rate, whole, worst)
		}
	})
}
