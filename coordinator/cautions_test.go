package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/known"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

func addressOf(tb testing.TB, script []byte) string {
	tb.Helper()
	a, err := wallet.AddressOf(script, wallet.Regtest)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// poison makes a script whose address begins and ends as another one, and is not it.
func poison(tb testing.TB, like []byte) []byte {
	tb.Helper()
	want := addressOf(tb, like)
	script := slices.Clone(like)
	for n := uint64(1); n < 1<<22; n++ {
		binary.BigEndian.PutUint64(script[10:], n)
		if got := addressOf(tb, script); strings.HasPrefix(got, want[:len("bcrt1q")+3]) && strings.HasSuffix(got, want[len(want)-3:]) {
			return script
		}
	}
	tb.Fatal("no such address")
	return nil
}

// cautions are what a peer would have its user look at, code and text.
func (p *peer) cautions(q *group.Proposal) (out []string) {
	for _, c := range p.m.Cautions(q) {
		out = append(out, c.Code+" "+c.Text)
	}
	return out
}

func (c *circle) cautioned(q *group.Proposal, want ...string) {
	c.tb.Helper()
	c.settle()
	for _, p := range c.peers {
		if got := p.cautions(q); !slices.Equal(got, want) {
			c.tb.Errorf("%s has to look at\n%q, want\n%q", p.name, got, want)
		}
		if got := known.Of(p.m.View, wallet.Regtest).Cautions(p.m.View, wallet.Regtest, mustTx(p, q)); len(got) != len(want) {
			c.tb.Errorf("%s would say %q after a restart", p.name, got)
		}
	}
}

func mustTx(p *peer, q *group.Proposal) *wire.MsgTx {
	s, err := q.Spend(p.m.State.Active())
	if err != nil {
		p.tb.Fatal(err)
	}
	return s.Tx()
}

// approved has a payment proposed, signed by all it takes, and returns it.
func (c *circle) approved(x Propose) (*group.Proposal, *wire.MsgTx) {
	c.tb.Helper()
	p := c.peers[0].proposed(x)
	c.settle()
	c.peers[1].must(Approve{Proposal: p.Ref.ID, Allow: x.Allow})
	c.settle()
	tx, err := c.peers[0].m.State.FinalTx(p)
	if err != nil {
		c.tb.Fatal(err)
	}
	return p, tx
}

func reusedBy(address string, tx chainhash.Hash) string {
	return fmt.Sprintf("address_reused %s was paid before (transaction %v): whoever looks at the chain ties the payments together. A payee who gives each payer an address of its own did not give you this one twice", address, tx)
}

func TestAnAddressThatWasPaidIsTold(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(slices.Repeat([]int64{400_000}, 12)...)
	a := c.peers[0]
	p, tx := c.approved(pay(1, 100_000))
	c.cautioned(p) // signed, and nobody shows it
	for _, x := range c.peers {
		x.sees(tx)
	}
	c.cautioned(p) // itself is none that was before
	again := pay(1, 50_000)
	again.Allow = []string{"possible_double_payment"}
	q := a.proposed(again)
	to := addressOf(t, recipient(1))
	c.cautioned(q, reusedBy(to, p.TxID))
	// What takes its place pays it instead of it.
	higher := bump(p, 9000)
	higher.Allow = again.Allow
	r := a.proposed(higher)
	c.cautioned(r)
	c.mine(oneTx(tx))
	c.cautioned(q, reusedBy(to, p.TxID))
	for _, x := range c.peers {
		x.crash()
	}
	c.cautioned(q, reusedBy(to, p.TxID))
	c.cautioned(a.proposed(pay(2, 50_000)))

	// An address of the wallet itself that was paid before.
	own, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := a.proposed(Propose{Outputs: []event.ProposalOutput{{PkScript: own.PkScript, Amount: 20_000}}, FeeRate: 2000})
	if got := a.cautions(s); len(got) != 1 || !strings.HasPrefix(got[0], "address_reused "+addressOf(t, own.PkScript)+", of this wallet, was paid before (transaction ") {
		t.Errorf("to its own: %q", got)
	}
	if _, err := a.do(Withdraw{Proposal: s.Ref.ID}); err != nil {
		t.Fatal(err)
	}

	// A block that is taken back takes what it paid along, until a mempool shows it.
	for _, x := range c.peers {
		x.must(ChainIn{port.ChainNotice{Kind: port.Disconnected, Block: x.m.View.Tip()}})
		x.must(ChainIn{port.ChainNotice{Kind: port.Unseen, TxIDs: []chainhash.Hash{p.TxID}}})
	}
	c.cautioned(q)
}

func TestAnAddressThatLooksLikeAPayeesIsTold(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(slices.Repeat([]int64{400_000}, 12)...)
	a := c.peers[0]
	fake := poison(t, recipient(1))
	was, is := addressOf(t, recipient(1)), addressOf(t, fake)
	want := fmt.Sprintf("address_resembles %s is not %s, which was paid before, though both begin and end alike: such an address is made to be taken for the other. Compare all of it with what the payee gave you", is, was)
	x := Propose{Outputs: []event.ProposalOutput{{PkScript: fake, Amount: 30_000}}, FeeRate: 2000}
	early := a.proposed(x)
	c.cautioned(early) // nobody was paid yet

	// A stranger who pays the wallet and the address makes no payee of it: else the
	// address would be one that was paid before.
	own, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 5)
	if err != nil {
		t.Fatal(err)
	}
	dust := wire.NewMsgTx(2)
	dust.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{9}}})
	dust.AddTxOut(wire.NewTxOut(600, own.PkScript))
	dust.AddTxOut(wire.NewTxOut(600, fake))
	c.mine(oneTx(dust))
	c.cautioned(early)

	_, tx := c.approved(pay(1, 100_000))
	c.mine(oneTx(tx))
	c.cautioned(early, want)
	c.cautioned(a.proposed(pay(7, 30_000)))
	// However many are paid before and beside it, it is told of, and first.
	many := pay(1, 10_000)
	many.Allow = []string{"possible_double_payment"}
	for i := range 20 {
		many.Outputs = append(many.Outputs, event.ProposalOutput{PkScript: recipient(byte(30 + i)), Amount: 1000})
	}
	_, tx = c.approved(many)
	c.mine(oneTx(tx))
	many.Outputs = append(many.Outputs, event.ProposalOutput{PkScript: fake, Amount: 1000})
	got := a.cautions(a.proposed(many))
	if len(got) != 1+8+1 || got[0] != want || got[9] != "address_reused 13 more outputs pay addresses that were used before" {
		t.Errorf("%d: %q", len(got), got)
	}
	// Once it was paid itself, it is one that was paid.
	x.Allow = []string{"possible_double_payment"}
	paid, tx := c.approved(x)
	c.mine(oneTx(tx))
	x.Outputs[0].Amount = 31_000
	c.cautioned(a.proposed(x), reusedBy(is, paid.TxID))
}
