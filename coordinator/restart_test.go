package coordinator

import "testing"

// A node that starts before its backend answers broadcasts what is final once
// it has caught up, and not only when it tries again by itself.
func TestFinalIsBroadcastOnceTheChainIsThere(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	if got := b.status(id); got != StatusFinal {
		t.Fatalf("status %s", got)
	}
	m, err := Load(t.Context(), storeOf(b), b.self, b.m.State.group)
	if err != nil {
		t.Fatal(err)
	}
	b.m = m
	b.must(Started{})
	at := len(b.sent)
	tx := b.sent[at-1].TxHash()
	b.must(Broadcasted{TxID: tx, Err: ErrUnsupported}) // the backend was not there
	b.must(ChainIn{ChainNotice{Kind: CaughtUp}})
	if len(b.sent) != at+1 || b.sent[at].TxHash() != tx {
		t.Fatalf("%d broadcasts after the chain was there, %d before", len(b.sent), at)
	}
	b.must(Broadcasted{TxID: tx})
	b.must(ChainIn{ChainNotice{Kind: CaughtUp}})
	if len(b.sent) != at+1 {
		t.Fatal("broadcast again what the backend took")
	}
}
