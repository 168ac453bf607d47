package coordinator

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// scribe writes the entries of a member that keeps no rule.
type scribe struct {
	of   *peer
	ep   journal.Epoch
	next journal.Next
}

func newScribe(t testing.TB, of *peer) *scribe {
	t.Helper()
	ep, ok := of.m.State.Epoch()
	if !ok {
		t.Fatal("no epoch")
	}
	return &scribe{of, ep, of.m.State.Chains().Next(journal.ChainKey{Author: of.id(), Incarnation: 1})}
}

func (s *scribe) write(t testing.TB, size int) *journal.Entry {
	t.Helper()
	e, err := journal.Seal(s.of.self.Identity, s.ep, s.next, bytes.Repeat([]byte{0xff}, size), [24]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	s.next = journal.Next{Incarnation: 1, Seq: s.next.Seq + 1, Prev: e.ID()}
	return e
}

// A member who writes without end is taken later, and nobody else is; what
// others took already is taken at once; and in the end all is.
func TestAFloodIsTakenLater(t *testing.T) {
	c := active(t, 2, 3)
	me, quiet, loud := c.peers[0], newScribe(t, c.peers[1]), newScribe(t, c.peers[2])
	synctest.Test(t, func(t *testing.T) {
		a := NewActor(t.Context(), Ports{
			Store: storeOf(me), Transport: quietTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		author := loud.of.id()
		take := func(e *journal.Entry) error { return a.Receive(t.Context(), author, e) }

		// What is sent again is not charged: nobody uses up another's allowance.
		first := quiet.write(t, 10)
		for range 100 {
			if err := take(first); err != nil {
				t.Fatal(err)
			}
		}
		if got := quotaEntries - a.quota.of(quiet.of.id(), time.Now()).entries; got != 1 {
			t.Errorf("one entry sent a hundred times cost %v", got)
		}

		var refused *journal.Entry
		var later *port.DeferredError
		taken := 0
		for ; refused == nil; taken++ {
			e := loud.write(t, journal.MaxEventSize)
			if err := take(e); errors.As(err, &later) {
				refused = e
			} else if err != nil {
				t.Fatal(err)
			}
			if taken > 2*quotaBytes/journal.MaxEventSize {
				t.Fatal("the flood has no end")
			}
		}
		if port.IsReject(later) || !errors.Is(later, port.IgnoreDeferred) || later.Author != author || later.For != quotaPause {
			t.Errorf("deferred: %v for %v", later, later.For)
		}
		if err := take(quiet.write(t, journal.MaxEventSize)); err != nil {
			t.Errorf("another member's entry: %v", err)
		}

		// The one other member claims to hold it: with two of three honest, it is one of them.
		next := loud.write(t, 10)
		claim := port.Claim{Frontier: journal.Frontier{next.Chain(): next.Position()}}
		a.PeerClaim(author, claim)
		synctest.Wait()
		if err := take(refused); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("vouched for by its author alone: %v", err)
		}
		a.PeerClaim(quiet.of.id(), claim)
		synctest.Wait()
		for _, e := range []*journal.Entry{refused, next} {
			if err := take(e); err != nil {
				t.Errorf("vouched for by another: %v", err)
			}
		}

		// Time gives back what it takes: not more, not less.
		late := loud.write(t, 10)
		if err := take(late); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("past what others hold: %v", err)
		}
		debt := -a.quota.of(author, time.Now()).bytes
		<-time.After(time.Duration(debt/quotaBytesPerSec)*time.Second - 2*quotaPause)
		if err := take(late); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("too early: %v", err)
		}
		<-time.After(4 * quotaPause)
		if err := take(late); err != nil {
			t.Errorf("in the end: %v", err)
		}
		if x := a.quota.of(author, time.Now().Add(365*24*time.Hour)); x.entries != quotaEntries || x.bytes != quotaBytes {
			t.Errorf("an allowance of %v entries and %v bytes", x.entries, x.bytes)
		}
	})
}

// The allowance of entries ends like that of bytes, its debt is bounded, and a
// clock that goes back changes nothing.
func TestQuota(t *testing.T) {
	q, a, now := newQuota(), journal.Author{1}, time.Unix(1_700_000_000, 0)
	for range quotaEntries {
		if err := q.left(a, now); err != nil {
			t.Fatal(err)
		}
		q.charge(a, 1, now)
	}
	if err := q.left(a, now); !errors.Is(err, port.IgnoreDeferred) {
		t.Errorf("all entries used: %v", err)
	}
	if err := q.left(journal.Author{2}, now); err != nil {
		t.Errorf("another author: %v", err)
	}
	if err := q.left(a, now.Add(-time.Hour)); !errors.Is(err, port.IgnoreDeferred) {
		t.Errorf("an hour before: %v", err)
	}
	now = now.Add(time.Minute)
	if err := q.left(a, now); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	for range 3 {
		q.charge(a, quotaBytes, now)
	}
	if x := q.of(a, now); x.bytes != -quotaBytes {
		t.Errorf("a debt of %v bytes", -x.bytes)
	}
}

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
	for _, e := range a.held {
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
	for _, r := range a.m.Replacements() {
		if r.New == d.id() {
			mine = r.ID
		}
	}
	a.must(ApproveReplacement{Replacement: mine})
	b.must(ApproveReplacement{Replacement: mine})
	c.settle(a, b)
	if a.memberOf(k) != d.id() {
		t.Error("the honest device is not let in")
	}
	if st = a.m.State; st.Payer(d.id()) != d.id() || st.Payer(z.id()) == d.id() {
		t.Error("a member shares its allowance with those that are not")
	}
}
