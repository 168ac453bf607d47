package coordinator

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// failing is a node whose program fails as a test says, with a real actor
// around its machine.
func failing(t *testing.T, p *peer, probe func(group.Probed, *journal.Entry)) *Actor {
	t.Helper()
	own := *p.self
	own.Fault, own.Probe = nil, probe
	m, err := Load(t.Context(), storeOf(p), &own, p.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	return NewActor(t.Context(), Ports{
		Store: storeOf(p), Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
		Clock: wallClock{}, Observer: p, Log: slog.New(slog.DiscardHandler),
	}, m)
}

// Notify makes a peer the observer of an actor.
func (p *peer) Notify(n port.Notice) { p.told = append(p.told, n) }

// TestAFaultStopsNothing: a wallet whose program fails on an entry, in reading it
// or in what follows from it, goes on without it, and so does a restart.
func TestAFaultStopsNothing(t *testing.T) {
	for name, probe := range map[string]func(bad journal.EntryID) func(group.Probed, *journal.Entry){
		"reading it": func(bad journal.EntryID) func(group.Probed, *journal.Entry) {
			return func(_ group.Probed, e *journal.Entry) {
				if e != nil && e.ID() == bad {
					panic("index out of range")
				}
			}
		},
		"what follows from it": func(bad journal.EntryID) func(group.Probed, *journal.Entry) {
			return func(s group.Probed, e *journal.Entry) {
				if st := s.(group.State); e == nil && st.Chains().Has(bad) && brokenRule(st, bad) == "" {
					panic("nil map")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			me, author := c.peers[0], c.peers[1]
			bad, err := author.wild(&event.AddressLeased{Index: 7})
			if err != nil {
				t.Fatal(err)
			}
			good, err := author.wild(&event.AddressLeased{Index: 8})
			if err != nil {
				t.Fatal(err)
			}
			me.told = nil
			synctest.Test(t, func(t *testing.T) {
				a := failing(t, me, probe(bad.ID()))
				for i, err := range a.ReceiveRun(t.Context(), author.id(), []*journal.Entry{bad, good}) {
					if err != nil {
						t.Errorf("entry %d: %v", i, err)
					}
				}
				check := func(when string, a *Actor) {
					t.Helper()
					m := a.Machine()
					if !m.State.Chains().Has(bad.ID()) || !m.State.Chains().Has(good.ID()) {
						t.Fatalf("%s: it is not held, and would be asked for again", when)
					}
					if rule := brokenRule(m.State, bad.ID()); rule != group.AlarmReader {
						t.Errorf("%s: it has an effect, or another reason for none: %q", when, rule)
					}
					if len(m.LeasedBy(7)) != 0 || len(m.LeasedBy(8)) != 1 {
						t.Errorf("%s: leases %v and %v", when, m.LeasedBy(7), m.LeasedBy(8))
					}
					var standing []Alarm
					for _, x := range m.Alarms() {
						if x.Kind == group.AlarmReader {
							standing = append(standing, x)
						}
					}
					if len(standing) != 1 || !strings.Contains(standing[0].Text, author.name) {
						t.Errorf("%s: alarms %+v", when, m.Alarms())
					}
					if _, err := Do(t.Context(), a, LeaseAddress{Peek: true}); errors.Is(err, group.ErrFault) {
						t.Errorf("%s: commands fail: %v", when, err)
					}
				}
				check("at once", a)
				a.Close()
				if n := len(me.alarms(group.AlarmReader)); n != 1 {
					t.Errorf("told %d times", n)
				}
				again := failing(t, me, probe(bad.ID()))
				check("after a restart", again)
				again.Close()
				// A version without the fault reads it again.
				for k := range me.records {
					if strings.HasPrefix(k, recFailed) {
						old, err := record.Encode(failedRecord{group.SnapshotVersion - 1})
						if err != nil {
							t.Fatal(err)
						}
						me.records[k] = old
					}
				}
				delete(me.records, recSnapshot)
				mended := failing(t, me, nil)
				defer mended.Close()
				if m := mended.Machine(); len(m.LeasedBy(7)) != 1 || len(m.Alarms()) != 0 {
					t.Errorf("mended: leased by %v, alarms %v", m.LeasedBy(7), m.Alarms())
				}
			})
		})
	}
}

// TestAFaultInACommandChangesNothing: also in a tick, and in a reader.
func TestAFaultInACommandChangesNothing(t *testing.T) {
	c := active(t, 2, 3)
	me := c.peers[0]
	synctest.Test(t, func(t *testing.T) {
		fails := false
		a := failing(t, me, func(group.Probed, *journal.Entry) {
			if fails {
				panic("nil map")
			}
		})
		defer a.Close()
		synctest.Wait()
		before := len(me.held)
		fails = true
		if _, err := Do(t.Context(), a, LeaseAddress{}); !errors.Is(err, group.ErrFault) {
			t.Errorf("a command that fails: %v", err)
		}
		<-time.After(10 * tickEvery)
		synctest.Wait()
		if a.Read(func(*Machine) { panic("nil map") }) {
			t.Error("a reader that fails came to its end")
		}
		fails = false
		if len(me.held) != before {
			t.Error("what failed left something behind")
		}
		if _, err := Do(t.Context(), a, LeaseAddress{Peek: true}); errors.Is(err, group.ErrFault) {
			t.Errorf("it does not go on: %v", err)
		}
	})
}

// TestAnEntryThatWaitsIsReadContained: what this program fails on under an epoch
// that comes late does not keep the epoch from being learnt.
func TestAnEntryThatWaitsIsReadContained(t *testing.T) {
	c := active(t, 2, 3)
	me, author := c.peers[0], c.peers[1]
	ep, rotation := author.ownEpoch()
	at := author.own(1)
	bad := author.sealEvent(ep, journal.Next{Incarnation: 2, Seq: 1}, &event.IncarnationStarted{Seq: at.Seq + 1, Last: rotation.ID()}, 1)
	good := author.sealEvent(ep, journal.Next{Incarnation: 2, Seq: 2, Prev: bad.ID()}, &event.AddressLeased{Index: 8}, 2)
	own, faults := *me.self, 0
	own.Fault = func(error) { faults++ }
	own.Probe = func(s group.Probed, e *journal.Entry) {
		if _, held := s.EpochHeld(ep.ID()); e != nil && e.ID() == bad.ID() && held {
			panic("index out of range")
		}
	}
	me.m.State = as(me.m.State, &own)
	for _, e := range []*journal.Entry{bad, good, rotation} {
		me.must(EntryIn{e})
	}
	if _, held := me.m.State.EpochHeld(ep.ID()); !held || faults != 1 || len(me.m.LeasedBy(8)) != 1 {
		t.Errorf("epoch held %v, %d faults, leased by %v", held, faults, me.m.LeasedBy(8))
	}
	if len(me.alarms(group.AlarmReader)) != 1 {
		t.Errorf("told: %v", me.told)
	}
}
