package robot

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// pays has somebody propose a payment of one coin.
func (w *world) pays(by *person, in event.ProposalInput, amount int64) *group.Proposal {
	w.tb.Helper()
	return w.propose(by, []event.ProposalInput{in}, []event.ProposalOutput{to(stranger(1), amount), change(uint32(amount), in.Amount-amount-500)})
}

// lined is the line of a version, with what was signed before it, as a state has it.
func (w *world) lined(s group.State, of *person, v event.PolicyVersion) (line, *Compiled) {
	w.tb.Helper()
	p, err := read(s, v)
	if err != nil {
		w.tb.Fatal(err)
	}
	c, err := Compile(p, v, "regtest", w.view)
	if err != nil {
		w.tb.Fatal(err)
	}
	x := w.wallet(of)
	x.State = s
	l, err := lineOf(s, of.key, v, p).withPasts(x, c)
	if err != nil {
		w.tb.Fatal(err)
	}
	return l, c
}

// without is the state of a node that lacks some entries, and what needs them in their chains.
func (w *world) without(lacks ...journal.EntryID) group.State {
	w.tb.Helper()
	from := map[journal.ChainKey]uint64{}
	for _, e := range w.entries {
		if h := e.Header(); slices.Contains(lacks, e.ID()) && (from[e.Chain()] == 0 || h.Seq < from[e.Chain()]) {
			from[e.Chain()] = h.Seq
		}
	}
	return w.again(slices.DeleteFunc(slices.Clone(w.entries), func(e *journal.Entry) bool {
		return from[e.Chain()] != 0 && e.Header().Seq >= from[e.Chain()]
	}))
}

// What a robot signed before it followed the policy in force is its past: by its own approvals
// that come before it said so, or where somebody else brought the signature. It is the same
// whether it is heard of before the past is worked out or after.
func TestWhatIsARobotsPast(t *testing.T) {
	w := newWorld(t, 2, 5, 0)
	a, b, late, x, bot := w.all[0], w.all[1], w.all[2], w.all[3], w.all[4]
	in := w.funded(10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000)
	both := policy.KeysOf(policy.Key(x.key), policy.Key(bot.key))
	first := w.metered(a, 90_000, 0, both)
	for _, p := range []*person{x, bot} {
		w.write(p, &event.PolicyAdopted{Version: first})
	}
	before, after, carried, twice := w.pays(a, in[0], 1000), w.pays(a, in[1], 2000), w.pays(a, in[2], 3000), w.pays(a, in[3], 4000)
	nobody := w.pays(a, in[4], 5000)
	unheard := w.pays(late, in[5], 6000)
	// One transaction, entered twice by one member: signed before, and again after.
	copied := w.pays(a, in[6], 7000)
	again := w.propose(a, copied.Body.Inputs, copied.Body.Outputs)
	for _, q := range []*group.Proposal{before, twice, unheard, copied} {
		w.approve(x, q)
	}
	second := w.metered(a, 50_000, 0, both, first)
	for _, p := range []*person{x, bot} {
		w.write(p, &event.PolicyAdopted{Version: second})
	}
	for _, q := range []*group.Proposal{after, twice, again} {
		w.approve(x, q)
	}
	w.approve(b, nobody)
	w.carry(b, x, carried)
	last := w.pays(b, in[7], 8000)
	w.carry(b, x, last)
	own := w.approve(x, last)

	signs := func(l line, q *group.Proposal) bool {
		k, _ := w.st.Active().KeyOf(q.Author())
		return l.pasts[x.key].signed.charges(q.TxID, policy.Key(k))
	}
	want := map[*group.Proposal]bool{before: true, twice: true, unheard: true, copied: true, again: true}
	l, _ := w.lined(w.st, bot, second)
	for n, q := range []*group.Proposal{before, after, carried, twice, nobody, unheard, copied, again, last} {
		if got := signs(l, q); got != want[q] {
			t.Errorf("payment %d of %d: of the past %v", n, q.Body.Outputs[0].Amount, got)
		}
	}

	// Heard of later: until then it is not known what it comes to, and the robot is not taken to
	// have moved.
	lacks := w.without(unheard.Ref.ID)
	if !l.moved(w.st) {
		t.Fatal("all follow it")
	}
	l, c := w.lined(lacks, bot, second)
	if signs(l, unheard) || l.moved(lacks) || l.share(lacks, bot.key, l.last.Meters[0], meter.All, 0) != 25_000 {
		t.Fatal("what is not held is of the past, or counts for nothing")
	}
	key := policy.Key(late.key)
	then := l.late(w.st, w.view, c, unheard, key)
	if !signs(then, unheard) || signs(l, unheard) {
		t.Errorf("heard later it is of the past %v, of the line before %v", signs(then, unheard), signs(l, unheard))
	}
	if got, want := then.pasts[x.key].signed.book.Used(meter.All, 86400, 0), l.pasts[x.key].signed.book.Used(meter.All, 86400, 0)+6500; got != want {
		t.Errorf("%d are used, not %d", got, want)
	}
	// What is known already, or is no past, changes nothing.
	for _, q := range []*group.Proposal{before, after, copied, again, nobody} {
		if then := l.late(w.st, w.view, c, q, policy.Key(a.key)); signs(then, q) != want[q] {
			t.Errorf("payment of %d: heard of again it is of the past %v", q.Body.Outputs[0].Amount, signs(then, q))
		}
	}
	// Where somebody carried it before its own word came, that says nothing of when.
	l, c = w.lined(w.without(own.ID()), bot, second)
	if then := l.late(w.st, w.view, c, last, policy.Key(b.key)); signs(l, last) || signs(then, last) {
		t.Error("what somebody carried is of the past")
	}
	// To say once more what it follows makes nothing a thing of the past; to follow something
	// else does.
	for range 1100 {
		w.write(x, &event.PolicyAdopted{Version: second})
	}
	if again, _ := w.lined(w.st, bot, second); signs(again, after) || l.outdated(w.st) {
		t.Error("it says once more that it follows, and that counts")
	}
	w.write(x, &event.PolicyAdopted{Version: first})
	if !l.outdated(w.st) {
		t.Error("it follows another version, and nothing is worked out anew")
	}
}

// Of one that is left out counts what it signed as a robot, and what this robot gave it leave
// for by the policies of before.
func TestThePastOfOneThatIsLeftOut(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, x, bot := w.all[0], w.all[2], w.all[3]
	in := w.funded(10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000)
	both, one := policy.KeysOf(policy.Key(x.key), policy.Key(bot.key)), policy.KeysOf(policy.Key(bot.key))
	first := w.metered(a, 200_000, 50, both)
	for _, p := range []*person{x, bot} {
		w.write(p, &event.PolicyAdopted{Version: first})
	}
	says := func(q *group.Proposal, outcome policy.Outcome, shadow bool) {
		w.write(x, &event.RobotVerdict{Proposal: q.Ref.ID, TxID: q.TxID, Policy: first, Outcome: uint64(outcome), Shadow: shadow})
		w.approve(x, q)
	}
	robot, shadow, denied, hand := w.pays(a, in[0], 1000), w.pays(a, in[1], 2000), w.pays(a, in[2], 3000), w.pays(a, in[3], 4000)
	says(robot, policy.OutcomeSign, false)
	says(shadow, policy.OutcomeSign, true)
	says(denied, policy.OutcomeDeny, false)
	w.approve(x, hand)

	reserves := func(q *group.Proposal, tx *group.Proposal, v event.PolicyVersion) journal.EntryID {
		return w.write(x, &event.BudgetReserved{Proposal: q.Ref.ID, TxID: tx.TxID, Policy: v, Meters: []uint64{0}}).ID()
	}
	granted, refused, released := w.pays(a, in[4], 5000), w.pays(a, in[5], 6000), w.pays(a, in[6], 7000)
	nothing := w.write(x, &event.BudgetReserved{Proposal: journal.EntryID{1}, TxID: granted.TxID, Policy: first, Meters: []uint64{0}}).ID()
	reserves(refused, refused, first)
	another, newer := reserves(refused, released, first), reserves(refused, refused, event.PolicyVersion{9})
	gone := reserves(released, released, first)
	leave := reserves(granted, granted, first)
	for _, id := range []journal.EntryID{nothing, another, newer, gone, leave} {
		w.write(bot, &event.BudgetGranted{Reservation: id})
	}
	w.write(x, &event.BudgetReleased{Reservation: gone})
	second := w.metered(a, 200_000, 0, one, first)
	w.write(bot, &event.PolicyAdopted{Version: second})
	l, _ := w.lined(w.st, bot, second)
	for n, q := range []*group.Proposal{robot, shadow, denied, hand, granted} {
		if got := l.pasts[x.key].robotly.charges(q.TxID, policy.Key(a.key)); got != (n == 0) {
			t.Errorf("payment of %d: it counts as a robot's %v", q.Body.Outputs[0].Amount, got)
		}
	}
	got := l.grantedTo(w.wallet(bot), x.key)
	if len(got) != 1 || got[0].TxID != granted.TxID || got[0].Initiator != policy.Key(a.key) {
		t.Errorf("it gave leave for %+v", got)
	}
	if g := l.pasts[x.key].granted.book.Used(meter.All, 86400, 0); g != 5500 {
		t.Errorf("of what it gave leave for %d count", g)
	}
	if b := l.pasts[bot.key]; b.granted.book.Used(meter.All, 86400, 0) != 0 || !b.asked {
		t.Error("its own past is that of another one")
	}
	// So it does where the policy changes once more.
	third := w.metered(a, 200_000, 0, one, second)
	w.write(bot, &event.PolicyAdopted{Version: third})
	if next, _ := w.lined(w.st, bot, third); !next.pasts[x.key].robotly.charges(robot.TxID, policy.Key(a.key)) || !next.pasts[x.key].granted.charges(granted.TxID, policy.Key(a.key)) {
		t.Error("a second change forgets its past")
	}
	// What becomes of it on the chain ends it.
	w.bury(w.tx(granted))
	if follow := l.follow(w.st, w.view); follow.pasts[x.key].granted.book.Used(meter.All, 86400, 60*w.minute+2*86400) != 0 || follow.pasts[x.key].robotly.book.Used(meter.All, 86400, 60*w.minute+2*86400) == 0 {
		t.Error("what was granted does not follow the chain, or ends what was signed")
	}
}
