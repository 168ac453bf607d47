package group

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/journal/pmap"
)

// Whoever goes on where the last time ended sees each key once, in order, and one
// visit costs something even where it says it does not: no budget is without end.
func TestGoneSeesEachKeyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var m pmap.Map[string, int]
		var want []string
		n := rapid.IntRange(0, 40).Draw(rt, "keys")
		for i := range n {
			k := fmt.Sprintf("of/%02d", i)
			m, want = m.Set(k, i), append(want, k)
			m = m.Set("oe/"+k, i).Set("og/"+k, i) // others, before and after
		}
		var got []string
		for at, more := "of/", true; more; {
			most := rapid.IntRange(1, 9).Draw(rt, "most")
			visits, cost, last := 0, 0, 0
			used, next := gone(m, "of/", at, most, func(k string, v int) int {
				if k != fmt.Sprintf("of/%02d", v) {
					rt.Fatalf("%q comes with %d", k, v)
				}
				got = append(got, k)
				says := rapid.IntRange(0, 3).Draw(rt, "costs")
				last = max(1, says)
				visits, cost = visits+1, cost+last
				return says
			})
			if used != cost || cost-last >= most || next != "" && cost < most || next == at && next != "" {
				rt.Fatalf("%d visits that cost %d of %d: used %d, and go on at %q", visits, cost, most, used, next)
			}
			at, more = next, next != ""
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("saw %v, want %v", got, want)
		}
	})
}
