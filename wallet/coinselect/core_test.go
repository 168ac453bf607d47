package coinselect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The cases here are those of Core's wallet/test/coinselection_tests.cpp and
// coinselector_tests.cpp, with the values they state.

const (
	cent    = 1_000_000
	bitcoin = 100_000_000
)

// corePool makes a pool of coins with the given worth, each weighing what a
// 68 vbyte input does, at the fee rates of Core's default test parameters.
func corePool(rate FeeRate, worth ...int64) []fundingCoin {
	var pool []fundingCoin
	for _, w := range worth {
		pool = append(pool, fundingCoin{worth: w, fee: rate.Fee(68), longFee: FeeRate(10_000).Fee(68), weight: 68 * 4})
	}
	return sortPool(pool)
}

func sortPool(pool []fundingCoin) []fundingCoin {
	slices.SortStableFunc(pool, func(a, b fundingCoin) int {
		if a.worth != b.worth {
			return int(max(-1, min(1, b.worth-a.worth)))
		}
		return int(a.weight - b.weight)
	})
	for i := range pool {
		pool[i].index = i
	}
	return pool
}

func times(n int, worth, vsize int64) []fundingCoin {
	var pool []fundingCoin
	for range n {
		pool = append(pool, fundingCoin{worth: worth, weight: vsize * 4})
	}
	return pool
}

// worths gives what was selected, largest first.
func worths(pool []fundingCoin, set []int) []int64 {
	var out []int64
	for _, i := range set {
		out = append(out, pool[i].worth)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

func sumOf(values []int64) int64 {
	var sum int64
	for _, v := range values {
		sum += v
	}
	return sum
}

func TestBranchAndBoundCore(t *testing.T) {
	const costOfChange = 204 + 155
	heavy := corePool(5000, 10*cent, 9*cent, 8*cent, 5*cent, 3*cent, 1*cent)
	heavy[3].weight = 4 * MaxTxWeight
	light := corePool(5000, 10*cent, 9*cent, 8*cent, 5*cent, 5*cent, 3*cent, 1*cent)
	light[3].weight = 4 * MaxTxWeight
	light[3].fee++ // not a clone of the other, or the search would skip that
	simple := corePool(5000, 1*cent, 3*cent, 5*cent)
	for _, c := range []struct {
		name         string
		pool         []fundingCoin
		target, cost int64
		want         []int64
	}{
		{"smallest", simple, 1 * cent, costOfChange, []int64{1 * cent}},
		{"middle", simple, 3 * cent, costOfChange, []int64{3 * cent}},
		{"biggest", simple, 5 * cent, costOfChange, []int64{5 * cent}},
		{"two", simple, 4 * cent, costOfChange, []int64{3 * cent, 1 * cent}},
		{"all", simple, 9 * cent, costOfChange, []int64{5 * cent, 3 * cent, 1 * cent}},
		{"upper bound", simple, 4*cent - costOfChange, costOfChange, []int64{3 * cent, 1 * cent}},
		{"above upper bound", simple, 4*cent - costOfChange - 1, costOfChange, nil},
		{"just short", simple, 4*cent + 1, costOfChange, nil},
		{"insufficient", simple, 9*cent + 1, costOfChange, nil},
		{"impossible", simple, 7 * cent, costOfChange, nil},
		{"nothing there", nil, 1 * cent, costOfChange, nil},
		{"many inputs at a low rate", corePool(5000, 2*cent, 3*cent, 5*cent, 10*cent), 10 * cent, costOfChange, []int64{5 * cent, 3 * cent, 2 * cent}},
		{"one input at a high rate", corePool(25_000, 2*cent, 3*cent, 5*cent, 10*cent), 10 * cent, costOfChange, []int64{10 * cent}},
		{"too heavy", heavy, 16 * cent, 0, nil},
		{"light twin", light, 16 * cent, 0, []int64{8 * cent, 5 * cent, 3 * cent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := worths(c.pool, branchAndBound(c.pool, c.target, c.cost, MaxTxWeight))
			if !slices.Equal(got, c.want) {
				t.Fatalf("selected %v, want %v", got, c.want)
			}
		})
	}
}

// hardPool is the worst case of Core's bnb_search_test: coins that double each
// other, each with a slightly larger twin, of which only one set fits.
func hardPool(n int) ([]fundingCoin, int64) {
	var worth []int64
	var target int64
	for i := range n {
		target += 1 << (n + i)
		worth = append(worth, 1<<(n+i), 1<<(n+i)+1<<(n-1-i))
	}
	return corePool(5000, worth...), target
}

// Core states 14 as solved within the tries and 17 as not.
func TestBranchAndBoundTries(t *testing.T) {
	pool, target := hardPool(14)
	if branchAndBound(pool, target, 0, MaxTxWeight) == nil {
		t.Fatal("14 doubled coins must be solved within the tries")
	}
	pool, target = hardPool(17)
	if set := branchAndBound(pool, target, 0, MaxTxWeight); set != nil {
		t.Fatalf("17 doubled coins solved with %v: the tries are not bounded", worths(pool, set))
	}
}

// CoinGrinder gives the best set it has when its tries end.
func TestCoinGrinderTries(t *testing.T) {
	var worth []int64
	for i := range int64(300) {
		worth = append(worth, 30_000+777*i)
	}
	pool, target := corePool(5000, worth...), int64(2_080_000)
	set, tries := coinGrinder(pool, target, MaxTxWeight)
	if tries != selectTries || sumOf(worths(pool, set)) < target {
		t.Fatalf("%d tries, selected %v", tries, worths(pool, set))
	}
}

func TestCoinGrinderCore(t *testing.T) {
	mixed := func() (pool []fundingCoin) {
		for j := int64(0); j < 5; j++ {
			pool = append(pool, times(1, (3+3*j)*bitcoin, 350)...)
			pool = append(pool, times(1, (2+3*j)*bitcoin, 250)...)
			pool = append(pool, times(1, (1+3*j)*bitcoin, 150)...)
		}
		return pool
	}()
	clones := slices.Concat(
		times(1, 4*bitcoin, 100), times(1, 3*bitcoin, 100), times(1, 2*bitcoin, 100), times(1, 1*bitcoin, 100),
		times(100, 8*bitcoin, 1000), times(100, 7*bitcoin, 800), times(100, 6*bitcoin, 600), times(100, 5*bitcoin, 400))
	tiny := slices.Concat(times(1, 180*cent, 2500), times(2, 1*bitcoin, 1000))
	for j := range int64(100) {
		tiny = append(tiny, times(1, 1*cent+j, 110)...)
	}
	seventeen := append(slices.Repeat([]int64{2 * bitcoin}, 10), slices.Repeat([]int64{33 * cent}, 17)...)
	for _, c := range []struct {
		name          string
		pool          []fundingCoin
		target, limit int64
		want          []int64
		tries         int
	}{
		{"insufficient", append(times(10, 1*bitcoin, 68), times(10, 2*bitcoin, 68)...), 4950 * cent, 10_000, nil, 0},
		{"too heavy", append(times(10, 1*bitcoin, 68), times(10, 2*bitcoin, 68)...), 2950 * cent, 3000, nil, -1},
		{"lightest within the limit", append(times(60, 33*cent, 68), times(10, 2*bitcoin, 68)...), 2533 * cent, 10_000, seventeen, 37},
		{"two light before one heavy", append(times(1, 2*bitcoin, 148), times(2, 1*bitcoin, 68)...), 190 * cent, 400_000, []int64{bitcoin, bitcoin}, 3},
		{"mixed weights", mixed, 30 * bitcoin, 400_000, []int64{14 * bitcoin, 13 * bitcoin, 4 * bitcoin}, 92},
		{"clones", clones, 990 * cent, 400_000, []int64{4 * bitcoin, 3 * bitcoin, 2 * bitcoin, 1 * bitcoin}, 38},
		{"tiny ones skipped", tiny, 190 * cent, 40_000, []int64{bitcoin, bitcoin}, 7},
		{"nothing there", nil, 1, 1000, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := sortPool(c.pool)
			// Core's tests have a change target of one cent.
			set, tries := coinGrinder(pool, c.target+cent, c.limit)
			if got := worths(pool, set); !slices.Equal(got, c.want) {
				t.Fatalf("selected %v, want %v", got, c.want)
			}
			if c.tries >= 0 && tries != c.tries {
				t.Fatalf("looked at %d sets, Core at %d", tries, c.tries)
			}
		})
	}
}

func TestKnapsackCore(t *testing.T) {
	first := []int64{1 * cent, 2 * cent, 5 * cent, 10 * cent, 20 * cent}
	second := []int64{6 * cent, 7 * cent, 8 * cent, 20 * cent, 30 * cent}
	third := append([]int64{5 * cent}, second...)
	fourth := append([]int64{18 * cent}, third...)
	fifth := append([]int64{1 * bitcoin, 2 * bitcoin, 3 * bitcoin, 4 * bitcoin}, fourth...)
	tenths := []int64{cent / 10, cent / 5, 3 * cent / 10, 2 * cent / 5, cent / 2}
	withBig := append([]int64{1111 * cent}, tenths...)
	withMore := append([]int64{3 * cent / 5, 7 * cent / 10}, withBig...)
	noChange := []int64{cent / 2, 3 * cent / 5, 7 * cent / 10, 1111 * cent}
	exact := []int64{2 * cent / 5, 3 * cent / 5, 4 * cent / 5, 1111 * cent}
	avoid := []int64{5 * cent / 100, 1 * cent, 100 * cent}
	ordered := append(slices.Repeat([]int64{1000 * bitcoin}, 1000), 3*bitcoin)
	for i, c := range []struct {
		pool   []int64
		target int64
		sum    int64 // 0: refused
		count  int   // 0: not stated by Core
	}{
		{first, 38 * cent, 38 * cent, 5},
		{first, 39 * cent, 0, 0},
		{first, 34 * cent, 35 * cent, 3},
		{first, 7 * cent, 7 * cent, 2},
		{first, 8 * cent, 8 * cent, 3},
		{first, 9 * cent, 10 * cent, 1},
		{second, 71 * cent, 71 * cent, 5},
		{second, 72 * cent, 0, 0},
		{second, 16 * cent, 20 * cent, 1},
		{third, 16 * cent, 18 * cent, 3},
		{fourth, 16 * cent, 18 * cent, 1},
		{fourth, 11 * cent, 11 * cent, 2},
		{fifth, 95 * cent, 1 * bitcoin, 1},
		{fifth, 195 * cent, 2 * bitcoin, 1},
		{tenths, cent, cent, 0},
		{withBig, cent, cent, 0},
		{withMore, cent, cent, 0},
		{slices.Repeat([]int64{50_000 * bitcoin}, 20), 500_000 * bitcoin, 500_000 * bitcoin, 10},
		{noChange, cent, 1111 * cent, 1},
		{exact, cent, cent, 2},
		{avoid, 10_001 * cent / 100, 10_105 * cent / 100, 3},
		{avoid, 9_990 * cent / 100, 101 * cent, 2},
		{ordered, 1003 * bitcoin, 1003 * bitcoin, 2},
	} {
		for seed := range byte(10) {
			t.Run(fmt.Sprintf("%d/seed%d", i, seed), func(t *testing.T) {
				pool := corePool(0, c.pool...)
				set := knapsack(pool, c.target, cent, MaxTxWeight, testRand(seed))
				got := worths(pool, set)
				if sumOf(got) != c.sum || c.count > 0 && len(got) != c.count {
					t.Fatalf("selected %v, want %d in %d coins", got, c.sum, c.count)
				}
			})
		}
	}
}

// With 676 equal coins the count follows from the amount alone.
func TestKnapsackManyInputs(t *testing.T) {
	for amount := int64(1500); amount < bitcoin; amount *= 10 {
		pool := corePool(0, slices.Repeat([]int64{amount}, 676)...)
		want := 1
		if amount-2000 < cent {
			want = int((2000 + cent + amount - 1) / amount)
		}
		set := knapsack(pool, 2000, cent, MaxTxWeight, testRand(1))
		if len(set) != want {
			t.Errorf("%d coins of %d selected, want %d", len(set), amount, want)
		}
	}
}

func TestKnapsackWeight(t *testing.T) {
	pool := corePool(0, slices.Repeat([]int64{cent}, 100)...)
	if set := knapsack(pool, 50*cent, cent, 49*68*4, testRand(1)); set != nil {
		t.Fatalf("%d coins exceed the weight", len(set))
	}
	pool = corePool(0, append(slices.Repeat([]int64{cent}, 100), bitcoin)...)
	if got := worths(pool, knapsack(pool, 50*cent, cent, 49*68*4, testRand(1))); !slices.Equal(got, []int64{bitcoin}) {
		t.Fatalf("selected %v, want the larger coin", got)
	}
}

func TestSingleRandomDrawCore(t *testing.T) {
	small := append(times(10, 1*bitcoin, 68), times(10, 2*bitcoin, 68)...)
	if set := singleRandomDraw(sortPool(slices.Clone(small)), 4950*cent, 10_000, testRand(1)); set != nil {
		t.Fatalf("%d coins selected, the funds are not there", len(set))
	}
	if set := singleRandomDraw(sortPool(slices.Clone(small)), 2950*cent, 3000, testRand(1)); set != nil {
		t.Fatalf("%d coins selected, that weighs too much", len(set))
	}
	// Only the ten coins of 2 BTC and six others fit: the least are dropped.
	pool := sortPool(append(times(60, 33*cent, 68), times(10, 2*bitcoin, 68)...))
	for seed := range byte(20) {
		set := singleRandomDraw(pool, 2533*cent, 10_000, testRand(seed))
		got := worths(pool, set)
		if sumOf(got) < 2533*cent || int64(len(got))*68*4 > 10_000 {
			t.Fatalf("selected %v", got)
		}
		slices.Sort(set)
		if len(slices.Compact(set)) != len(got) {
			t.Fatal("a coin was drawn twice")
		}
	}
}

func testRand(seed byte) *rand.Rand { return rand.New(rand.NewChaCha8([32]byte{seed})) }
