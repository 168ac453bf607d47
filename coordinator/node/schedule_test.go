package node

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/recurring"
)

// A payment that is due, and that a signer in another process did not sign, is kept to be
// signed, and told of.
func TestWhatASignerDoesNotSignIsKept(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	me := c.peers[0]
	sch := me.must(coordinator.Plan{Schedule: recurring.Schedule{NotBefore: c.clock.Add(time.Hour).Unix(), Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 200_000}}, FeeRate: 2000, Expires: 3600}}).(coordinator.Planned).Schedule
	c.clock = c.clock.Add(3 * time.Hour)
	c.mine(nil)
	for _, o := range c.peers[1:] {
		me.must(coordinator.ClaimIn{From: o.id(), Claim: port.Claim{Frontier: o.m.State.Chains().Frontier()}})
	}
	c.settle()
	synctest.Test(t, func(t *testing.T) {
		signer := &elsewhere{t: t, of: me, store: &me.Disk, fails: true}
		a := NewActor(t.Context(), Ports{
			Store: signer.store, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Signer: signer, Clock: clockOf{me}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		due := a.Machine().DueSchedules(c.clock)
		if len(due) != 1 {
			t.Fatal(due)
		}
		var made *MadeError
		if _, err := Do(t.Context(), a, coordinator.Propose{Outputs: sch.Outputs, FeeRate: 2000, Occasion: &due[0], Expires: c.clock.Add(time.Hour)}); !errors.As(err, &made) {
			t.Fatal(err)
		}
		left := a.Machine().UnsignedSchedules()
		if len(left) != 1 || left[0].Last != made.Proposal {
			t.Errorf("to be signed: %+v", left)
		}
		if stands := a.Machine().AlarmsAt(c.clock.Add(2 * time.Hour)); len(stands) != 1 || stands[0].Kind != coordinator.AlarmScheduled {
			t.Errorf("alarms: %v", stands)
		}
	})
}
