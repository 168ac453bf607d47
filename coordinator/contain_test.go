package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// TestAnEntryThatWaitsIsReadContained: what this program fails on under an epoch
// that comes late does not keep the epoch from being learnt.
func TestAnEntryThatWaitsIsReadContained(t *testing.T) {
	c := active(t, 2, 3)
	me, author := c.peers[0], c.peers[1]
	ep, rekey := author.ownEpoch()
	at := author.own(1)
	bad := author.sealEvent(ep, journal.Next{Incarnation: 2, Seq: 1}, &event.IncarnationStarted{Seq: at.Seq + 1, Last: rekey.ID()}, 1)
	good := author.sealEvent(ep, journal.Next{Incarnation: 2, Seq: 2, Prev: bad.ID()}, &event.AddressLeased{Index: 8}, 2)
	own, faults := *me.self, 0
	own.Fault = func(error) { faults++ }
	own.Probe = func(s group.Probed, e *journal.Entry) {
		if _, held := s.EpochHeld(ep.ID()); e != nil && e.ID() == bad.ID() && held {
			panic("index out of range")
		}
	}
	me.m.State = as(me.m.State, &own)
	for _, e := range []*journal.Entry{bad, good, rekey} {
		me.must(EntryIn{e})
	}
	if _, held := me.m.State.EpochHeld(ep.ID()); !held || faults != 1 || len(me.m.LeasedBy(8)) != 1 {
		t.Errorf("epoch held %v, %d faults, leased by %v", held, faults, me.m.LeasedBy(8))
	}
	if len(me.alarms(group.AlarmReader)) != 1 {
		t.Errorf("told: %v", me.told)
	}
}
