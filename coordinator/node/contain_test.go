package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// failing is a node whose program fails as a test says, with a real actor
// around its machine.
func failing(t *testing.T, p *peer, probe func(group.Probed, *journal.Entry)) *Actor {
	t.Helper()
	own := *p.self
	own.Fault, own.Probe = nil, probe
	m, err := coordinator.Load(t.Context(), &p.Disk, &own, p.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	return NewActor(t.Context(), Ports{
		Store: &p.Disk, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
		Clock: wallClock{}, Observer: p, Log: slog.New(slog.DiscardHandler),
	}, m)
}

// leased is the entry of a member that leases an address.
func (s *scribe) leased(t testing.TB, index uint32) *journal.Entry {
	t.Helper()
	plain, err := event.Encode(event.Event{Time: 1, Body: &event.AddressLeased{Index: index}})
	if err != nil {
		t.Fatal(err)
	}
	return s.seal(t, plain)
}

func (p *peer) alarms(kind string) (n int) {
	for _, x := range p.told {
		if x.Type == "alarm" && x.Status == kind {
			n++
		}
	}
	return n
}

// brokenRule returns the rule that an entry without effect breaks, or "".
func brokenRule(s group.State, id journal.EntryID) string {
	for _, i := range s.Inert() {
		if i.Ref.ID == id {
			return i.Rule
		}
	}
	return ""
}

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
			s := newScribe(t, author)
			bad, good := s.leased(t, 7), s.leased(t, 8)
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
					var standing []coordinator.Alarm
					for _, x := range m.Alarms() {
						if x.Kind == group.AlarmReader {
							standing = append(standing, x)
						}
					}
					if len(standing) != 1 || !strings.Contains(standing[0].Text, author.name) {
						t.Errorf("%s: alarms %+v", when, m.Alarms())
					}
					if _, err := Do(t.Context(), a, coordinator.LeaseAddress{Peek: true}); errors.Is(err, group.ErrFault) {
						t.Errorf("%s: commands fail: %v", when, err)
					}
				}
				check("at once", a)
				a.Close()
				if n := me.alarms(group.AlarmReader); n != 1 {
					t.Errorf("told %d times", n)
				}
				again := failing(t, me, probe(bad.ID()))
				check("after a restart", again)
				again.Close()
				// A version without the fault reads it again.
				for k := range me.Kept {
					if strings.HasPrefix(k, "failed/") {
						old, err := record.Encode(map[int]int{1: group.SnapshotVersion - 1})
						if err != nil {
							t.Fatal(err)
						}
						me.Kept[k] = old
					}
				}
				delete(me.Kept, "snapshot")
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
		before := len(me.Held)
		fails = true
		if _, err := Do(t.Context(), a, coordinator.LeaseAddress{}); !errors.Is(err, group.ErrFault) {
			t.Errorf("a command that fails: %v", err)
		}
		<-time.After(10 * tickEvery)
		synctest.Wait()
		if a.Read(func(*coordinator.Machine) { panic("nil map") }) {
			t.Error("a reader that fails came to its end")
		}
		fails = false
		if len(me.Held) != before {
			t.Error("what failed left something behind")
		}
		if _, err := Do(t.Context(), a, coordinator.LeaseAddress{Peek: true}); errors.Is(err, group.ErrFault) {
			t.Errorf("it does not go on: %v", err)
		}
	})
}
