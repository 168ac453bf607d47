package coordinator

import (
	"math/rand/v2"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// A key names new identities without end, each with chains of its own. They
// share one allowance, few of them are listened to, and an honest device is not
// crowded out.
func TestAKeyThatNamesManyIdentitiesGainsNothing(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	d := z.device(9)
	d.takePlace(a, z) // honest
	c.settle(a, b)
	evil := b
	var devices []*peer
	for n := range 2*group.MaxCarried + 5 {
		x := z.device(byte(20 + n))
		x.m.State = as(evil.m.State, x.self)
		if _, err := evil.wild(x.replacing(z, 3)); err != nil {
			t.Fatal(err)
		}
		devices = append(devices, x)
	}
	c.settle(a, b)
	st := a.m.State
	known, payers := 0, map[journal.Author]bool{}
	for _, x := range devices {
		if st.Knows(x.id()) {
			known++
			payers[st.Payer(x.id())] = true
		}
		if !tainted(st, group.Ref{Chain: journal.ChainKey{Author: x.id(), Incarnation: 1}, Seq: 1}) {
			t.Fatal("what it writes counts")
		}
	}
	if known != group.MaxKnown || len(payers) != 1 || payers[st.Payer(a.id())] {
		t.Errorf("%d of %d identities are listened to, with %d allowances", known, len(devices), len(payers))
	}
	if !st.Knows(d.id()) || st.Payer(a.id()) != a.id() {
		t.Error("the honest device is not listened to")
	}
	k, _ := st.Active().KeyOf(z.id())
	if n := len(st.Active().Contested(k)); n > group.MaxCarried+1 {
		t.Errorf("%d rivals are looked at each time", n)
	}
	if text := a.m.contestedAlarm(k).Text; len(text) > 4096 {
		t.Errorf("the alarm has %d bytes", len(text))
	}
	var all []*journal.Entry
	for _, e := range a.Held {
		all = append(all, e)
	}
	want := canon(refold(t, a, all))
	for range 3 {
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		folded := refold(t, a, all)
		if got := canon(folded); got != want {
			t.Errorf("another order gave another state:\n%s", diff(want, got))
		}
		if got := canon(throughSnapshot(t, a, folded)); got != want {
			t.Errorf("the snapshot holds another state:\n%s", diff(want, got))
		}
	}
	// The others still decide.
	var mine [32]byte
	for _, r := range a.m.Successions() {
		if r.New == d.id() {
			mine = r.ID
		}
	}
	a.must(ApproveSuccession{Succession: mine})
	b.must(ApproveSuccession{Succession: mine})
	c.settle(a, b)
	if a.memberOf(k) != d.id() {
		t.Error("the honest device is not let in")
	}
	if st = a.m.State; st.Payer(d.id()) != d.id() || st.Payer(z.id()) == d.id() {
		t.Error("a member shares its allowance with those that are not")
	}
}
