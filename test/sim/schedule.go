package sim

import (
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/recurring"
)

func (w *world) schedules(n *node, a Action) {
	if !n.in || !n.up || !n.honest() || n.m.State.Active() == nil {
		return
	}
	if a.Kind == UserResume {
		for _, sch := range n.m.Schedules() {
			if _, err := n.command(a, coordinator.Resume{ID: sch.ID}); err == nil {
				w.count("schedules started again")
			}
		}
		return
	}
	// The median time of the chain is an hour behind.
	at := w.start.Add(w.queue.now + time.Duration(a.R[0]%120)*time.Second - time.Hour)
	_, err := n.command(a, coordinator.Plan{Schedule: recurring.Schedule{
		NotBefore: at.Unix(), FeeRate: int64(1000 + a.R[1]%5000),
		Outputs: []event.ProposalOutput{{PkScript: recipient(8 + a.R[2]%8), Amount: int64(20_000 + 1000*(a.R[3]%100))}},
	}})
	if err == nil {
		w.count("payments that wait")
	}
}

// checkOccasions: what an honest member's node proposes by itself is paid once, whatever
// became of its machine.
func (w *world) checkOccasions() {
	for _, n := range w.honest() {
		a := n.m.State.Active()
		if a == nil {
			continue
		}
		paid := map[[32]byte]string{}
		for p := range n.m.State.AllProposals {
			of, ok := p.Body.For()
			k, member := a.KeyOf(p.Author())
			if !ok || !member || w.lies(p.Author()) || n.m.View.Confirmations(p.TxID) == 0 {
				continue
			}
			of[0] ^= byte(k) // an occasion is a member's own
			tx := string(mapkey.Of(p.TxID))
			if before, twice := paid[of]; twice && before != tx {
				w.violation("%s: a payment of %s that was to be made once is mined twice", n.name, w.name(p.Author()))
			}
			paid[of] = tx
		}
		for range paid {
			w.count("payments that waited, mined")
		}
	}
}
