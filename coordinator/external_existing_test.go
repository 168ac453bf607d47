package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// existingGroup is an active group around a 2-of-3 that was there before, with
// its keys in an order that no sorting gives.
func existingGroup(t testing.TB, birthday int32) (*circle, *wallet.Descriptor) {
	t.Helper()
	c := &circle{tb: t, clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var keys []wallet.Key
	for i := range 3 {
		p := newPeer(t, string(rune('A'+i)), byte(i+1), &c.clock)
		p.circle = c
		c.peers = append(c.peers, p)
		keys = append(keys, p.account.Key())
	}
	slices.SortFunc(keys, func(a, b wallet.Key) int {
		if a.String() < b.String() {
			return 1
		}
		return -1
	})
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 2, keys)
	if err != nil {
		t.Fatal(err)
	}
	a := c.peers[0]
	g := event.Genesis{Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest", Descriptor: d.String(), Birthday: birthday}
	m, invites, effects, err := Found(a.self, a.input(nil), g, "treasury", a.name, a.key(), birthday, nil, c.clock.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.execute(m, effects); err != nil {
		t.Fatal(err)
	}
	for i, p := range c.peers[1:] {
		nonce := [32]byte{byte(i)}
		grant := a.must(Admit{Joiner: p.id(), Nonce: nonce, Proof: invites[i].Proof(p.id(), nonce)}).(port.Grant)
		m, effects, err := Enter(p.self, p.input(nil), invites[i], grant, wallet.Regtest, p.name, p.key(), birthday)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.execute(m, effects); err != nil {
			t.Fatal(err)
		}
	}
	c.settle()
	return c, d
}

func TestExistingWalletKeepsItsDescriptor(t *testing.T) {
	c, d := existingGroup(t, 0)
	c.ratifyAll(false)
	for _, p := range c.peers {
		a := p.m.State.Active()
		if a == nil {
			t.Fatal(p.m.Missing())
		}
		if a.Descriptor.String() != d.String() {
			t.Errorf("%s derives %s", p.name, a.Descriptor)
		}
		for i, m := range a.Members {
			if m.Index != i || m.Key.String() != d.Keys()[i].String() {
				t.Errorf("%s: member %d has key %s", p.name, i, m.Key)
			}
		}
	}
	// It signs as any other.
	c.fund(100_000)
	p := c.peers[0].must(pay(1, 40_000)).(Proposed)
	c.settle()
	c.peers[1].must(Approve{Proposal: p.Proposal})
	prop, _ := c.peers[1].m.State.Proposal(p.Proposal)
	if !c.peers[1].m.State.Final(prop) {
		t.Error("not final")
	}
	c.peers[2].crash()
	if c.peers[2].m.State.Active().Descriptor.String() != d.String() {
		t.Error("another descriptor after a restart")
	}
}

func TestExistingWalletTakesItsOwnKeysOnly(t *testing.T) {
	c, d := existingGroup(t, 0)
	stranger := newPeer(t, "X", 9, &c.clock)
	st := c.peers[0].m.State
	b := &event.MemberRecord{Name: "X", SealingKey: stranger.self.Sealing.Public(), Key: stranger.account.Key().String(), How: event.ProofNone}
	if _, err := st.CheckRecord(stranger.id(), b); err == nil {
		t.Error("a key that is not of the wallet is taken")
	}
	g := st.Genesis()
	if _, err := NamedKey(g, stranger.account.Key().String(), nil); ruleOf(err) != refusal.BadKey {
		t.Errorf("as external: %v", err)
	}
	want := d.Keys()[1]
	for _, text := range []string{want.String(), hexOf(want)} {
		if k, err := NamedKey(g, text, nil); err != nil || k.String() != want.String() {
			t.Errorf("%s: %v, %v", text, k, err)
		}
	}
	for name, change := range map[string]func(*event.Genesis){
		"threshold":         func(g *event.Genesis) { g.Threshold = 1 },
		"cosigners":         func(g *event.Genesis) { g.Cosigners = 2 },
		"script":            func(g *event.Genesis) { g.Script = "sh-wsh" },
		"another form":      func(g *event.Genesis) { g.Descriptor = g.Descriptor[:len(g.Descriptor)-9] },
		"no descriptor":     func(g *event.Genesis) { g.Descriptor = "wsh(nothing)" },
		"birthday":          func(g *event.Genesis) { g.Birthday = -1 },
		"birthday of a new": func(g *event.Genesis) { g.Descriptor, g.Birthday = "", 5 },
	} {
		bad := st.Genesis()
		change(&bad)
		if _, err := event.EncodeGenesis(bad); err == nil {
			t.Errorf("%s: the genesis is taken", name)
		}
	}
}

func hexOf(k wallet.Key) string { return k.String()[1:9] }

// Addresses were paid in any order, long before the group was there.
func TestExistingWalletFindsItsHistory(t *testing.T) {
	c, d := existingGroup(t, 0)
	a := c.peers[0]
	r, _ := a.m.State.Roster()
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words()})
	}
	c.settle()
	if got := a.m.View.Watched(); got[0] != aheadOfUse || got[1] != aheadOfUse {
		t.Errorf("%v addresses are watched", got)
	}
	script, err := d.Script(wallet.BranchExternal, 190)
	if err != nil {
		t.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{7}}})
	tx.AddTxOut(wire.NewTxOut(50_000, script.PkScript))
	for range 3 * ledger.FreshMargin {
		c.mine(nil, a)
	}
	next, effects, err := Step(a.m, a.input(ChainIn{c.block(tx)}))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range effects {
		if w, ok := e.(WatchScripts); ok {
			found = true
			if w.From != 0 || len(w.Scripts) < aheadOfUse {
				t.Errorf("%d further addresses are looked for from block %d", len(w.Scripts), w.From)
			}
		}
	}
	if !found || next.View.Watched()[0] != 2*aheadOfUse {
		t.Errorf("watched %v", next.View.Watched())
	}
	if b := Sum(Coins(next.State, next.View, c.clock)); b.Confirmed != 50_000 {
		t.Errorf("balance %+v", b)
	}
}

// block is the next one, not shown to anybody.
func (c *circle) block(txs ...*wire.MsgTx) port.ChainNotice {
	b := port.BlockRef{Height: c.height + 1, Hash: chainhash.Hash{byte(c.height), 'b'}, Time: c.clock.Unix(), MedianTime: c.clock.Unix()}
	return port.ChainNotice{Kind: port.Connected, Prev: c.tip, Block: b, Txs: txs}
}
