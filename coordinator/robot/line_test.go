package robot

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// metered has somebody propose a policy of some robots with a meter; nobody votes.
func (w *world) metered(by *person, limit int64, pool uint64, robots policy.Keys, parents ...event.PolicyVersion) event.PolicyVersion {
	w.tb.Helper()
	q := anyPolicy()
	q.Title, q.Robots, q.StartQuorum, q.Tolerate = "Metered", robots, 1, uint64(robots.Count())
	q.Meters = []policy.Meter{{Name: "daily", Limit: limit, Window: 86400, Pool: pool}}
	q.Rules[0].Require.Meters = []uint64{0}
	if err := q.Fits(len(w.all), w.st.Genesis().Threshold); err != nil {
		w.tb.Fatal(err)
	}
	slices.SortFunc(parents, func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	b := &event.PolicyProposed{Bytes: policy.Encode(q), Parents: parents}
	w.write(by, b)
	return b.Version(w.st.Group())
}

func (w *world) line(of *person, v event.PolicyVersion) line {
	w.tb.Helper()
	p, err := read(w.st, v)
	if err != nil {
		w.tb.Fatal(err)
	}
	return lineOf(w.st, of.key, v, p)
}

func (w *world) wallet(of *person) Wallet {
	return Wallet{State: w.st, View: w.view, Key: of.key, Guarded: func(chainhash.Hash) bool { return false }}
}

// One that a policy left out, and that never says so, has no robot lose its share, however
// often the policy changes after that.
func TestALineIsLong(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, gone, bot := w.all[0], w.all[2], w.all[3]
	both, one := policy.KeysOf(policy.Key(gone.key), policy.Key(bot.key)), policy.KeysOf(policy.Key(bot.key))
	v := w.metered(a, 1000, 0, both)
	w.write(gone, &event.PolicyAdopted{Version: v, Median: 1})
	w.write(bot, &event.PolicyAdopted{Version: v, Median: 1})
	for n := range 40 {
		v = w.metered(a, 1000+int64(n%3), 0, one, v)
		w.write(bot, &event.PolicyAdopted{Version: v, Median: 1 + int64(n)})
	}
	l := w.line(bot, v)
	if l.broken || len(l.terms[0]) != 2 || len(l.left) != 1 || l.left[0].key != gone.key || l.left[0].most[0] != 500 {
		t.Fatalf("broken %v, terms %+v, left %+v", l.broken, l.terms, l.left)
	}
	l, _ = w.lined(w.st, bot, v)
	if got := l.share(w.st, bot.key, l.last.Meters[0], meter.All, 1+86400); got != 500 {
		t.Errorf("in the window in which the other one may use its old share it has %d", got)
	}
	if got := l.share(w.st, bot.key, l.last.Meters[0], meter.All, 2+86400); got != 1000 {
		t.Errorf("after it it has %d", got)
	}
}

// Where robots had parted, a line goes back along all that a policy follows.
func TestALineHasSeveralParents(t *testing.T) {
	w := newWorld(t, 2, 5, 0)
	a, x, y, z := w.all[0], w.all[2], w.all[3], w.all[4]
	of := func(ps ...*person) (k policy.Keys) {
		for _, p := range ps {
			k |= policy.KeysOf(policy.Key(p.key))
		}
		return k
	}
	root := w.metered(a, 3000, 0, of(x, y, z))
	hidden := w.metered(a, 5000, 50, of(y, z), root)
	left, right := w.metered(a, 2000, 0, of(x), root), w.metered(a, 2001, 0, of(y), hidden)
	for p, v := range map[*person]event.PolicyVersion{x: left, y: right, z: root} {
		w.write(p, &event.PolicyAdopted{Version: v})
	}
	next := w.metered(a, 1000, 0, of(x, y), left, right)
	w.write(x, &event.PolicyAdopted{Version: next})
	l := w.line(x, next)
	for _, v := range []event.PolicyVersion{root, hidden, left, right, next} {
		if !l.in.has(v) {
			t.Errorf("a policy of the line is not looked at: %+v", l.in)
		}
	}
	if len(l.left) != 1 || l.left[0].key != z.key || l.left[0].most[0] != 1250 || l.left[0].lent[0] != 2500 {
		t.Errorf("of one that is left out it says %+v", l.left)
	}
	if l := w.line(y, next); len(l.left) != 1 || l.left[0].lent[0] != 0 {
		t.Errorf("of one that could be granted nothing without it it says %+v", l.left)
	}
	// What it says that it follows is the last by which it counts.
	w.write(z, &event.PolicyAdopted{Version: hidden})
	if l := w.line(x, next); len(l.left) != 1 || l.left[0].most[0] != 1250 {
		t.Errorf("of one that follows a later one it says %+v", l.left)
	}
	w.write(z, &event.PolicyAdopted{Version: right})
	l, _ = w.lined(w.st, x, next)
	for _, of := range l.of(w.st, l.last.Meters[0]).Left {
		if of.Most != 0 || of.Lent != 0 {
			t.Errorf("one that says that it is left out counts with %+v", of)
		}
	}
}

// One that is left out counts with all of a pool by which this robot was none, whom nobody
// asked for leave.
func TestWhatOthersGrantedCounts(t *testing.T) {
	w := newWorld(t, 2, 5, 0)
	a, old, other, bot := w.all[0], w.all[2], w.all[3], w.all[4]
	of := func(ps ...*person) (k policy.Keys) {
		for _, p := range ps {
			k |= policy.KeysOf(policy.Key(p.key))
		}
		return k
	}
	first := w.metered(a, 1000, 40, of(old, other)) // each 300, and 400 with leave
	w.write(old, &event.PolicyAdopted{Version: first})
	w.write(other, &event.PolicyAdopted{Version: first})
	next := w.metered(a, 2000, 0, of(other, bot), first) // each 1000
	for _, p := range []*person{other, bot} {
		w.write(p, &event.PolicyAdopted{Version: next, Median: 100})
	}
	for p, want := range map[*person]int64{bot: 1000 - 300 - 400, other: 1000 - 300} {
		l, _ := w.lined(w.st, p, next)
		if got := l.share(w.st, p.key, l.last.Meters[0], meter.All, 100); got != want {
			t.Errorf("key %d: a share of %d, not %d", p.key, got, want)
		}
		if got := l.share(w.st, p.key, l.last.Meters[0], meter.All, 101+86400); got != 1000 {
			t.Errorf("key %d: after a window a share of %d", p.key, got)
		}
	}
}

// One that was left out and comes back may go by what it knew before until it says that it
// follows the policy that has it again.
func TestOneThatComesBackCounts(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, back, bot := w.all[0], w.all[2], w.all[3]
	both, one := policy.KeysOf(policy.Key(back.key), policy.Key(bot.key)), policy.KeysOf(policy.Key(bot.key))
	first := w.metered(a, 1000, 0, both) // each 500
	w.write(back, &event.PolicyAdopted{Version: first, Median: 1})
	w.write(bot, &event.PolicyAdopted{Version: first, Median: 1})
	second := w.metered(a, 1000, 0, one, first)
	w.write(bot, &event.PolicyAdopted{Version: second, Median: 2})
	third := w.metered(a, 1600, 0, both, second) // each 800
	w.write(bot, &event.PolicyAdopted{Version: third, Median: 3})
	share := func(now int64) int64 {
		l, _ := w.lined(w.st, bot, third)
		return l.share(w.st, bot.key, l.last.Meters[0], meter.All, now)
	}
	if got := share(3 + 86400); got != 300 {
		t.Errorf("while the other one may go by the first policy it has %d", got)
	}
	if got := share(4 + 86400); got != 800 {
		t.Errorf("after a window it has %d", got)
	}
	w.write(back, &event.PolicyAdopted{Version: third, Median: 3})
	if got := share(4); got != 800 {
		t.Errorf("once the other one follows it has %d", got)
	}
}
