package robot

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

func none(func(chainhash.Hash) bool) {}

// descriptor is one of a person's account, as others are told it.
func descriptor(t *testing.T, p *person, fn string) string {
	t.Helper()
	body := fn + "(" + p.account.Key().XPub + "/0/*)"
	sum, err := wallet.DescriptorChecksum(body)
	if err != nil {
		t.Fatal(err)
	}
	return body + "#" + sum
}

func TestCompile(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	payee := descriptor(t, newPerson(t, 77), "wpkh")
	r, err := wallet.ParseRecipient(payee, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	script := func(index uint32) []byte {
		s, err := r.PkScript(index)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	address, err := wallet.AddressOf(script(3), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	pol := anyPolicy()
	pol.Recipients = []policy.Recipient{
		{Name: "acme", Descriptors: []string{payee}, Lookahead: 5},
		{Name: "third", Addresses: []string{address}},
	}
	c, err := Compile(pol, [32]byte{7}, wallet.Regtest, w.view)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(what string, c *Compiled, last uint32) {
		t.Helper()
		for i := range last + 3 {
			want := []uint64{0}
			if i > last {
				want = nil
			}
			if i == 3 {
				want = append(want, 1)
			}
			if got := c.To(script(i)); !slices.Equal(got, want) {
				t.Errorf("%s: index %d is of %v, want %v", what, i, got, want)
			}
		}
	}
	knows("at first", c, 4)
	coins := w.funded(10_000, 10_000, 10_000)
	pays := func(in event.ProposalInput, index uint32) *wire.MsgTx {
		return w.tx(w.propose(w.all[1], []event.ProposalInput{in}, []event.ProposalOutput{to(script(index), 9000)}))
	}
	tx := pays(coins[0], 2)
	w.see(tx)
	knows("one is in the mempool", c.Advance(w.view, none), 4)
	w.mine(tx)
	for range 4 {
		w.mine()
	}
	before := c.Advance(w.view, none)
	knows("five deep", before, 4)
	w.mine()
	after := before.Advance(w.view, none)
	knows("six deep", after, 7)
	knows("what was before", before, 4)

	// Whoever else pays them moves nothing: anybody could.
	foreign := wire.NewMsgTx(2)
	foreign.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{9}}})
	foreign.AddTxOut(wire.NewTxOut(1000, script(7)))
	own, _ := w.st.Active().Descriptor.PkScript(0, 9)
	foreign.AddTxOut(wire.NewTxOut(1000, own)) // so that it is looked at
	w.bury(foreign)
	knows("somebody else paid", after.Advance(w.view, none), 7)

	// One that lies beyond is known once what it takes to know it is, in either order.
	w.bury(pays(coins[1], 9))
	knows("one beyond", after.Advance(w.view, none), 7)
	w.bury(pays(coins[2], 6))
	last := after.Advance(w.view, none)
	knows("and one before", last, 14)
	again, err := Compile(pol, [32]byte{7}, wallet.Regtest, w.view)
	if err != nil {
		t.Fatal(err)
	}
	knows("compiled anew", again, 14)
	if last.keys != again.keys {
		t.Errorf("%d keys are derived, anew %d", last.keys, again.keys)
	}
}

func TestCompileRefuses(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	payee := descriptor(t, newPerson(t, 77), "wpkh")
	for name, r := range map[string]policy.Recipient{
		"an address of another network": {Addresses: []string{"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}},
		"no descriptor":                 {Descriptors: []string{"wpkh(x)"}},
	} {
		pol := anyPolicy()
		pol.Recipients = []policy.Recipient{r}
		if _, err := Compile(pol, [32]byte{}, wallet.Regtest, w.view); err == nil {
			t.Errorf("%s is compiled", name)
		}
	}
	pol := anyPolicy()
	for range maxDerived/policy.MaxLookahead + 1 {
		pol.Recipients = append(pol.Recipients, policy.Recipient{Descriptors: []string{payee}, Lookahead: policy.MaxLookahead})
	}
	if _, err := Compile(pol, [32]byte{}, wallet.Regtest, w.view); !errors.Is(err, ErrTooMany) {
		t.Errorf("more than a robot derives: %v", err)
	}
}

// Zones are those of the hours of the rule that decides, as they are then.
func TestZones(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	p := w.propose(w.all[1], w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)})
	pol := anyPolicy()
	hours := func(zones ...string) (out []policy.Hours) {
		for _, z := range zones {
			out = append(out, policy.Hours{Days: 127, To: 1440, Zone: z})
		}
		return out
	}
	pol.Rules[0].Require.Hours = hours("Europe/Berlin", "Asia/Kolkata", "Europe/Berlin", "Nowhere/Land", "Local", "")
	pol.Rules = append(pol.Rules, policy.Rule{When: policy.When{Kinds: []policy.Kind{policy.Payment}}, Require: policy.Require{Hours: hours("Asia/Tokyo")}})
	for now, berlin := range map[int64]int64{1_767_225_600: 3600, 1_782_864_000: 7200} {
		q := w.question(p, pol)
		q.Now = now
		f, err := Gather(q)
		if err != nil {
			t.Fatal(err)
		}
		if want := []policy.Zone{{Name: "Asia/Kolkata", Offset: 19_800}, {Name: "Europe/Berlin", Offset: berlin}}; !slices.Equal(f.Zones, want) {
			t.Errorf("at %d zones are %v, want %v", now, f.Zones, want)
		}
	}
	if got := slices.Sorted(maps.Keys(zonesOf(pol))); !slices.Equal(got, []string{"Asia/Kolkata", "Asia/Tokyo", "Europe/Berlin"}) {
		t.Errorf("loaded %v", got)
	}
}
