package coordinator

import (
	"testing"
	"time"
)

// A node keeps half of the allowance that others grant it for what its user
// does: what others bring about waits for the other half, and is done then.
func TestWhatNobodyAskedForLeavesHalfOfTheAllowance(t *testing.T) {
	for name, full := range map[string]written{
		"entries": {entries: unaskedEntries},
		"bytes":   {bytes: unaskedBytes},
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 3, 3)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			ins := a.coinsOf(c.fund(1_000_000))
			full.at = c.clock
			a.m.written = full
			x := &ProposalCreated{Inputs: ins, Outputs: []ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
			ofB := b.nextPlace()
			prop := b.forge(ofB, x)
			next := evil.nextPlace()
			branch := *next
			ep, _ := a.m.State.Epoch()
			before := a.written()
			a.must(EntryIn{prop})
			a.must(EntryIn{b.forge(ofB, &StanzaFailed{Epoch: ep.ID()})}) // wants an epoch sealed again
			a.must(EntryIn{evil.forge(next, &ProposalApproved{Proposal: prop.ID(), Signatures: evil.signedBy(x)})})
			a.must(EntryIn{evil.forge(&branch, &AddressLeased{Index: 6})}) // and has signatures carried
			for range 4 {
				a.must(Tick{})
			}
			if n := a.written() - before; n != 0 {
				t.Fatalf("%d entries are written beyond half of the allowance", n)
			}
			a.must(LeaseAddress{}) // its user is not hindered
			c.clock = c.clock.Add(24 * time.Hour)
			a.rest()
			for range 4 {
				a.must(Tick{})
			}
			if n := a.carries(); n != 1 {
				t.Errorf("%d entries carry signatures a day later", n)
			}
			if given, _ := a.m.State.book.given.Get(key3(ep.ID(), b.id(), a.id())); !given {
				t.Error("the epoch is not sealed again a day later")
			}
		})
	}
}
