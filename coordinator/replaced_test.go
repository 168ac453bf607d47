package coordinator

import (
	"maps"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

func (p *peer) payInstead(id journal.EntryID, n byte, amount int64, rate wallet.FeeRate) *group.Proposal {
	p.tb.Helper()
	x := pay(n, amount)
	x.Replaces, x.FeeRate = []journal.EntryID{id}, rate
	return p.proposed(x)
}

// Of several replacements, the one that prevailed is named, whatever their ids are.
func TestReplacedByNamesTheWinner(t *testing.T) {
	for winner := range 3 {
		c := active(t, 2, 3)
		c.fund(1_000_000)
		a, b := c.peers[0], c.peers[1]
		first := a.proposed(pay(1, 200_000))
		c.settle()
		var all []*group.Proposal
		for n := range 3 {
			x := pay(byte(2+n), 100_000)
			x.Replaces = []journal.EntryID{first.Ref.ID}
			for _, q := range all {
				x.Replaces = append(x.Replaces, q.Ref.ID)
			}
			all = append(all, a.proposed(x))
			c.settle()
		}
		won := all[winner]
		b.must(Approve{Proposal: won.Ref.ID})
		c.settle()
		tx, err := a.m.Tx(won)
		if err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"final", "mined"} {
			if when == "mined" {
				c.mine([]*wire.MsgTx{tx})
			}
			for _, p := range c.peers[:2] {
				if by := p.m.ReplacedBy(first); len(by) == 0 || by[0] != won.Ref.ID {
					t.Errorf("%s, once number %d is %s: replaced by %v, want %v", p.name, winner, when, by, won.Ref.ID)
				}
			}
		}
	}
}

// A deposit whose fee its sender raised counts once, whichever is mined.
func TestADepositWhoseFeeIsRaisedCountsOnce(t *testing.T) {
	for _, mined := range []int{0, 1} {
		c := active(t, 2, 3)
		a := c.peers[0]
		script, err := a.m.State.Active().Descriptor.PkScript(wallet.BranchExternal, 0)
		if err != nil {
			t.Fatal(err)
		}
		var txs []*wire.MsgTx
		for n := range 2 {
			tx := wire.NewMsgTx(2)
			tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: [32]byte{9}, Index: 3}, Sequence: uint32(n)})
			tx.AddTxOut(&wire.TxOut{Value: 300_000, PkScript: script})
			txs = append(txs, tx)
		}
		for n, tx := range append(txs, txs[0], txs[1]) { // and each is shown again
			a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
			if got := Sum(Coins(a.m.State, a.m.View, c.clock)).Unconfirmed; got != 300_000 {
				t.Fatalf("after sighting %d: %d sat unconfirmed", n, got)
			}
		}
		c.mine(txs[mined:mined+1], a)
		if got := Sum(Coins(a.m.State, a.m.View, c.clock)); got.Unconfirmed != 0 || got.Confirmed != 300_000 {
			t.Fatalf("mined: %+v", got)
		}
	}
}

// Our own final replacement, once the network took it, ends the one before: its status
// is told, and its change is nobody's.
func TestAReplacedBroadcastIsNotSeenAnyMore(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	first := c.spent(200_000)
	a.must(Broadcasted{TxID: first.TxID})
	if got := a.status(first.Ref.ID); got != group.StatusBroadcast {
		t.Fatal(got)
	}
	second := a.payInstead(first.Ref.ID, 1, 200_000, 20_000)
	c.settle()
	b.must(Approve{Proposal: second.Ref.ID})
	c.settle()
	told := len(a.told)
	a.must(Broadcasted{TxID: second.TxID})
	if got := a.status(second.Ref.ID); got != group.StatusBroadcast {
		t.Fatal(got)
	}
	if got := a.status(first.Ref.ID); got == group.StatusBroadcast {
		t.Fatal("two transactions over one coin count as broadcast")
	}
	heard := false
	for _, n := range a.told[told:] {
		heard = heard || n.Proposal == first.Ref.ID
	}
	if !heard {
		t.Fatal("nobody is told")
	}
}

// A payment that has its signatures and gave way to its replacement is replaced, in
// every answer and in what is counted: on the node that sent both, and on one that saw
// neither until the replacement was in the network.
func TestAFinalPaymentThatGaveWayIsReplaced(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, late := c.peers[0], c.peers[1], c.peers[2]
	first := c.spent(200_000)
	a.must(Broadcasted{TxID: first.TxID})
	second := a.payInstead(first.Ref.ID, 1, 200_000, 20_000)
	c.settle()
	said := func(when string, p *peer, q *group.Proposal, want group.Status) {
		t.Helper()
		x, _ := p.m.State.Proposal(q.Ref.ID)
		if got := p.m.Status(x, c.clock); got != want {
			t.Errorf("%s: %s says %s, want %s", when, p.name, got, want)
		}
		counts := map[group.Status]int{}
		for _, x := range p.m.Proposals() {
			counts[p.m.Status(x, c.clock)]++
		}
		if got := p.m.CountProposals(); !maps.Equal(got, counts) {
			t.Errorf("%s: %s counts %v, and says %v", when, p.name, got, counts)
		}
		told := ""
		for _, n := range p.told {
			if n.Type == "proposal" && n.Proposal == q.Ref.ID {
				told = n.Status
			}
		}
		if told != string(want) {
			t.Errorf("%s: %s told %q last, want %s", when, p.name, told, want)
		}
	}
	said("proposed", a, first, group.StatusBroadcast)
	said("proposed", late, first, group.StatusFinal)
	b.must(Approve{Proposal: second.Ref.ID})
	c.settle()
	said("approved", a, first, group.StatusBroadcast) // the network has it, and not the other
	said("approved", a, second, group.StatusFinal)
	said("approved", late, first, group.StatusReplaced) // it is not sent any more
	tx, err := a.m.Tx(second)
	if err != nil {
		t.Fatal(err)
	}
	a.must(Broadcasted{TxID: second.TxID})
	late.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
	for _, p := range []*peer{a, late} {
		said("in the network", p, first, group.StatusReplaced)
		said("in the network", p, second, group.StatusBroadcast)
	}
	a.crash()
	a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}}) // the mempool is told again
	x, _ := a.m.State.Proposal(first.Ref.ID)
	if got := a.m.CountProposals(); got[group.StatusReplaced] != 1 || a.m.Status(x, c.clock) != group.StatusReplaced {
		t.Errorf("after a restart: %s, counted %v", a.m.Status(x, c.clock), got)
	}
	c.mine([]*wire.MsgTx{tx})
	for _, p := range c.peers {
		said("mined", p, second, group.StatusConfirmed)
		said("mined", p, first, group.StatusReplaced)
	}
}

// A payment whose replacement is shown by the network, though this node holds too few of
// its signatures to know it as final, gave way to it.
func TestAReplacementThatOnlyTheNetworkCompletesReplaces(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	first := c.spent(200_000)
	second := a.payInstead(first.Ref.ID, 1, 200_000, 20_000)
	c.settle()
	fork := c.clone(t) // whoever completes it does not pass its signature on
	fork.peers[1].must(Approve{Proposal: second.Ref.ID})
	tx, err := fork.peers[1].m.Tx(second)
	if err != nil {
		t.Fatal(err)
	}
	told := len(b.told)
	b.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
	x, _ := b.m.State.Proposal(first.Ref.ID)
	if got := b.m.Status(x, c.clock); got != group.StatusReplaced {
		t.Errorf("%s, while the network shows its replacement", got)
	}
	if got := b.m.CountProposals(); got[group.StatusReplaced] != 1 || got[group.StatusFinal] != 0 {
		t.Errorf("counted %v", got)
	}
	heard := false
	for _, n := range b.told[told:] {
		heard = heard || n.Proposal == first.Ref.ID && n.Status == string(group.StatusReplaced)
	}
	if !heard {
		t.Error("nobody is told")
	}
	b.must(ChainIn{port.ChainNotice{Kind: port.Unseen, TxIDs: []chainhash.Hash{second.TxID}}})
	if got := b.m.Status(x, c.clock); got != group.StatusFinal {
		t.Errorf("%s, once the replacement left the network", got)
	}
	if got := b.m.CountProposals(); got[group.StatusFinal] != 1 {
		t.Errorf("counted %v once it left", got)
	}
}

// However deposits that spend one another's coins are shown, in whatever order and with
// what is left out in between, no more counts as unconfirmed than one mempool can hold.
func TestUnconfirmedIsWhatOneMempoolCanPay(t *testing.T) {
	made := active(t, 1, 1)
	script, err := made.peers[0].m.State.Active().Descriptor.PkScript(wallet.BranchExternal, 0)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		a := made.clone(t).peers[0]
		var txs []*wire.MsgTx
		var spends []uint // the coins that each spends, as bits
		for n := range rapid.IntRange(2, 5).Draw(r, "deposits") {
			coins := rapid.UintRange(1, 7).Draw(r, "coins")
			tx := wire.NewMsgTx(2)
			for i := range uint(3) {
				if coins>>i&1 == 1 {
					tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: [32]byte{9}, Index: uint32(i)}, Sequence: uint32(n)})
				}
			}
			tx.AddTxOut(&wire.TxOut{Value: rapid.Int64Range(1_000, 9_000).Draw(r, "amount"), PkScript: script})
			txs, spends = append(txs, tx), append(spends, coins)
		}
		most := int64(0)
		for set := range 1 << len(txs) {
			sum, used, fits := int64(0), uint(0), true
			for n, tx := range txs {
				if set>>n&1 == 1 {
					fits = fits && used&spends[n] == 0
					used, sum = used|spends[n], sum+tx.TxOut[0].Value
				}
			}
			if fits {
				most = max(most, sum)
			}
		}
		for range rapid.IntRange(1, 12).Draw(r, "notices") {
			tx := txs[rapid.IntRange(0, len(txs)-1).Draw(r, "which")]
			if rapid.Bool().Draw(r, "shown") {
				a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
			} else {
				a.must(ChainIn{port.ChainNotice{Kind: port.Unseen, TxIDs: []chainhash.Hash{tx.TxHash()}}})
			}
			if got := Sum(Coins(a.m.State, a.m.View, *a.clock)).Unconfirmed; got > most {
				r.Fatalf("%d sat unconfirmed, and no mempool pays more than %d", got, most)
			}
		}
	})
}
