package node

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
)

// A command that is refused by what it would meet changes nothing, and one that is not
// meets just that: what came before it in the same turn is there.
func TestDoUnless(t *testing.T) {
	c := active(t, 2, 3)
	me, author := c.peers[0], newScribe(t, c.peers[1])
	synctest.Test(t, func(t *testing.T) {
		a := NewActor(t.Context(), Ports{
			Store: &slowStore{Store: &me.Disk}, Transport: quietTransport{},
			Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		synctest.Wait()
		before := a.Machine().State.Chains().Len()
		no := errors.New("it changed")
		if _, err := DoUnless(t.Context(), a, coordinator.LeaseAddress{}, func(coordinator.Machine) error { return no }); !errors.Is(err, no) {
			t.Errorf("it was done: %v", err)
		}
		if n := a.Machine().State.Chains().Len(); n != before {
			t.Errorf("%d entries, then %d", before, n)
		}
		// While a commit takes its second, two entries and the command come: they share
		// the next turn, and nobody else is shown the entries before it is done.
		first := author.write(t, 10)
		go func() { _ = a.Receive(t.Context(), c.peers[1].id(), first) }()
		synctest.Wait()
		second := author.write(t, 10)
		go func() { _ = a.Receive(t.Context(), c.peers[1].id(), second) }()
		synctest.Wait()
		seen, public := false, true
		if _, err := DoUnless(t.Context(), a, coordinator.LeaseAddress{}, func(m coordinator.Machine) error {
			seen, public = m.State.Chains().Has(second.ID()), a.Machine().State.Chains().Has(second.ID())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !seen || public {
			t.Errorf("what came before it is there: %v, and was public: %v", seen, public)
		}
	})
}
