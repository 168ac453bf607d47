package coordinator

import (
	"errors"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// A node that starts before its backend answers broadcasts what is final once
// it has caught up, and not only when it tries again by itself.
func TestFinalIsBroadcastOnceTheChainIsThere(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	if got := b.status(id); got != group.StatusFinal {
		t.Fatalf("status %s", got)
	}
	m, err := Load(t.Context(), &b.Disk, b.self, b.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	b.m = m
	b.must(Started{})
	at := len(b.sent)
	tx := b.sent[at-1].TxHash()
	b.must(Broadcasted{TxID: tx, Err: port.ErrUnsupported}) // the backend was not there
	b.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	if len(b.sent) != at+1 || b.sent[at].TxHash() != tx {
		t.Fatalf("%d broadcasts after the chain was there, %d before", len(b.sent), at)
	}
	b.must(Broadcasted{TxID: tx})
	b.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	if len(b.sent) != at+1 {
		t.Fatal("broadcast again what the backend took")
	}
}

// A copy of a node whose identity was restored elsewhere follows and writes
// nothing: what it wrote would have no effect, and it would try again for ever.
func TestASupersededCopyOnlyReads(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	old := z.m
	if err := z.restored(old); err != nil {
		t.Fatal(err)
	}
	x := pay(1, 100_000)
	x.Coins = coins[:1]
	id := a.must(x).(Proposed).Proposal
	// B is a liar with two chains: what it signs on one of them is carried.
	c.settle(a, b)
	fork := b.m
	b.must(Approve{Proposal: id})
	b.m = fork
	b.must(LeaseAddress{})
	news := append(z.Chains(), b.Chains()...)
	z.m = old
	alarms := len(z.told)
	for _, chain := range append(news, a.Chains()...) {
		for _, e := range chain {
			if !z.m.State.Chains().Has(e.ID()) {
				_, _ = z.do(EntryIn{e})
			}
		}
	}
	if !z.m.superseded() {
		t.Fatal("the copy does not know that it is one")
	}
	said := 0
	for _, n := range z.told[alarms:] {
		if n.Type == "alarm" && n.Detail == errSuperseded.Error() {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it was told %d times", said)
	}
	mine := journal.ChainKey{Author: z.id(), Incarnation: 1}
	if now, was := z.m.State.Chains().Frontier()[mine], old.State.Chains().Frontier()[mine]; now != was {
		t.Errorf("the copy wrote up to %d after %d", now.Seq, was.Seq)
	}
	if _, err := z.do(Approve{Proposal: id}); !errors.Is(err, errSuperseded) {
		t.Errorf("approve: %v", err)
	}
	if _, ok := z.m.State.Proposal(id); !ok {
		t.Error("the copy does not follow any more")
	}
}

// While old blocks are scanned for addresses that were learnt late, a coin may be
// known before its spend: the chain counts as behind. Blocks near the tip are
// looked at again with every spend, and do not stop the next.
func TestAScanOfOldBlocksIsBehind(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	for range 2 * ledger.FreshMargin {
		c.mine(nil)
	}
	a.m.View = a.m.View.AskFrom(0)
	a.refused(refusal.ChainBehind, pay(1, 100_000))
}

// A CaughtUp that was on its way when a scan was asked for does not end it.
func TestAStaleCaughtUpEndsNoScan(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	a.m.View = a.m.View.AskFrom(0)
	a.must(Watched{Call: 2})
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp, Watches: 1}})
	if _, due := a.m.View.Unfinished(); !due {
		t.Fatal("a notice that covers one call ended the scan of the second")
	}
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp, Watches: 2}})
	if _, due := a.m.View.Unfinished(); due {
		t.Fatal("the scan does not end")
	}
}
