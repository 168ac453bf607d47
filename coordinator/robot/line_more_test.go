package robot

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// Whoever is left out, is let in, and is left out again counts from the second time on.
func TestSinceWhenOneIsLeftOut(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, x, bot := w.all[0], w.all[2], w.all[3]
	both, one := policy.KeysOf(policy.Key(x.key), policy.Key(bot.key)), policy.KeysOf(policy.Key(bot.key))
	var v event.PolicyVersion
	for n, robots := range []policy.Keys{both, one, both, one, one, one} {
		if n == 0 {
			v = w.metered(a, 1000, 0, robots)
		} else {
			v = w.metered(a, 1000, 0, robots, v)
		}
		w.write(bot, &event.PolicyAdopted{Version: v, Median: int64(100 * (n + 1))})
		if n == 2 {
			w.write(x, &event.PolicyAdopted{Version: v})
		}
	}
	if l := w.line(bot, v); len(l.left) != 1 || l.left[0].since != 400 {
		t.Fatalf("left out: %+v", l.left)
	}
	// Of a robot that is new it is not known since when: since it follows what it does.
	w.write(w.all[1], &event.PolicyAdopted{Version: v, Median: 700})
	if l := w.line(w.all[1], v); len(l.left) != 1 || l.left[0].since != 700 {
		t.Fatalf("left out, as a new one knows: %+v", l.left)
	}
}

// Nobody has a share, a pool or hope of one by a policy that follows what cannot be read.
func TestALineThatIsBroken(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, x, bot := w.all[0], w.all[2], w.all[3]
	both := policy.KeysOf(policy.Key(x.key), policy.Key(bot.key))
	newer := &event.PolicyProposed{Bytes: []byte("what a newer version writes")}
	w.write(a, newer)
	for _, parent := range []event.PolicyVersion{{}, newer.Version(w.st.Group())} {
		v := w.metered(a, 1000, 50, both)
		if parent != (event.PolicyVersion{}) {
			v = w.metered(a, 1000, 50, both, parent)
		}
		w.write(bot, &event.PolicyAdopted{Version: v})
		l, _ := w.lined(w.st, bot, v)
		m := l.last.Meters[0]
		if l.moved(w.st) {
			t.Fatal("it moved without the other one")
		}
		if share, pool := l.share(w.st, bot.key, m, meter.All, 0), l.pool(w.st, m, meter.All, 0); share != 0 || pool != 0 {
			t.Errorf("before the other one follows: a share of %d, a pool of %d", share, pool)
		}
		w.write(x, &event.PolicyAdopted{Version: v})
		l, _ = w.lined(w.st, bot, v)
		whole := parent == (event.PolicyVersion{})
		share, pool := l.share(w.st, bot.key, m, meter.All, 0), l.pool(w.st, m, meter.All, 0)
		if l.moved(w.st) != whole || l.broken == whole || (share == 250) != whole || (pool == 500) != whole || !whole && (share != 0 || pool != 0) {
			t.Errorf("after %s: a share of %d, a pool of %d, moved %v", parent, share, pool, l.moved(w.st))
		}
		if l.later(policy.Use{Charge: 1}, 1, 0).Later != whole {
			t.Errorf("after %s there will be room: %v", parent, !whole)
		}
		l.pasts = nil
		if share, pool := l.share(w.st, bot.key, m, meter.All, 0), l.pool(w.st, m, meter.All, 0); share != 0 || pool != 0 {
			t.Errorf("where what was signed before is not worked out: a share of %d, a pool of %d", share, pool)
		}
	}
}

func TestWhatHasRoomLater(t *testing.T) {
	for _, c := range []struct {
		name        string
		use         policy.Use
		share, pool int64
		later       bool
	}{
		{"the share grows enough", policy.Use{Charge: 10, Takes: 99, Share: 9}, 10, 0, true},
		{"it grows, and not enough", policy.Use{Charge: 11, Takes: 99, Share: 9}, 10, 0, false},
		{"it is as large as it gets", policy.Use{Charge: 10, Takes: 99, Share: 10}, 10, 0, false},
		{"it is larger", policy.Use{Charge: 10, Takes: 99, Share: 11}, 10, 0, false},
		{"the pool grows enough", policy.Use{Charge: 99, Takes: 10, Pool: 9}, 0, 10, true},
		{"the pool grows, and not enough", policy.Use{Charge: 99, Takes: 11, Pool: 9}, 0, 10, false},
		{"the pool is as large as it gets", policy.Use{Charge: 99, Takes: 10, Pool: 10}, 0, 10, false},
		{"neither grows", policy.Use{Charge: 1, Takes: 1, Share: 5, Pool: 5}, 5, 5, false},
	} {
		if got := (line{}).later(c.use, c.share, c.pool).Later; got != c.later {
			t.Errorf("%s: %v", c.name, got)
		}
		if (line{broken: true}).later(c.use, c.share, c.pool).Later {
			t.Errorf("%s, where a policy cannot be read", c.name)
		}
	}
	// A meter of that name for each initiator is another one.
	p := &policy.Policy{Robots: policy.KeysOf(0), Meters: []policy.Meter{{Name: "daily", Limit: 10, Window: 1, Per: policy.PerInitiator}}}
	if got := termsOf(p, policy.Meter{Name: "daily", Limit: 10, Window: 1}, quorum{2, 1}); got.Share != policy.MaxAmount || got.Pool != 0 {
		t.Errorf("a meter that is not there has %+v", got)
	}
	if got := termsOf(p, policy.Meter{Name: "other", Limit: 10, Window: 1, Per: policy.PerInitiator}, quorum{2, 1}); got.Share != policy.MaxAmount {
		t.Errorf("a meter that is not there has %+v", got)
	}
}

// One that says that it heard that it is left out, and that it signed before what is not held
// here, counts as one that did not say so: with all that it might have.
func TestWhatALeaverSignedIsNotHeld(t *testing.T) {
	for _, changes := range []int{1, 2} {
		w := newWorld(t, 2, 5, 0)
		a, late, x, bot := w.all[0], w.all[1], w.all[3], w.all[4]
		both, one := policy.KeysOf(policy.Key(x.key), policy.Key(bot.key)), policy.KeysOf(policy.Key(bot.key))
		in := w.funded(40_000, 50_000)
		v := w.metered(a, 60_000, 50, both) // each 15,000, and 30,000 with leave
		for _, p := range []*person{x, bot} {
			w.write(p, &event.PolicyAdopted{Version: v, Median: 1})
		}
		granted := w.pays(a, in[0], 20_000)
		leave := w.write(x, &event.BudgetReserved{Proposal: granted.Ref.ID, TxID: granted.TxID, Policy: v, Meters: []uint64{0}})
		w.write(bot, &event.BudgetGranted{Reservation: leave.ID()})
		unheard := w.pays(late, in[1], 10_000)
		w.approve(x, unheard)
		for range changes {
			v = w.metered(a, 60_000, 0, one, v)
			for _, p := range []*person{x, bot} {
				w.write(p, &event.PolicyAdopted{Version: v, Median: 2})
			}
		}
		share := func(s group.State) int64 {
			l, _ := w.lined(s, bot, v)
			return l.share(s, bot.key, l.last.Meters[0], meter.All, 3)
		}
		if got := share(w.st); got != 60_000-10_500 {
			t.Errorf("%d changes: with all held its share is %d", changes, got)
		}
		if got := share(w.without(unheard.Ref.ID)); got != 60_000-15_000-20_500 {
			t.Errorf("%d changes: with what it signed not held its share is %d", changes, got)
		}
	}
}
