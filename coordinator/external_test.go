package coordinator

import (
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// device is a signer that is not in the node: a seed of its own.
type device struct {
	tb      testing.TB
	account *wallet.AccountKey
	xprv    *hdkeychain.ExtendedKey
}

func newDevice(tb testing.TB, n byte) *device {
	tb.Helper()
	seed := make([]byte, 32)
	seed[0], seed[31] = n, 'd'
	a, err := wallet.DeriveAccount(seed, wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		tb.Fatal(err)
	}
	k, err := hdkeychain.NewMaster(seed, wallet.Regtest.Params())
	if err != nil {
		tb.Fatal(err)
	}
	const h = hdkeychain.HardenedKeyStart
	for _, step := range []uint32{h + 48, h + 1, h, h + 2} {
		if k, err = k.Derive(step); err != nil {
			tb.Fatal(err)
		}
	}
	return &device{tb, a, k}
}

func (d *device) text() string { return d.account.Key().String() }

// message signs a text as wallets do, with the key 0/0.
func (d *device) message(text string) []byte {
	d.tb.Helper()
	k := d.xprv
	for range 2 {
		var err error
		if k, err = k.Derive(0); err != nil {
			d.tb.Fatal(err)
		}
	}
	priv, err := k.ECPrivKey()
	if err != nil {
		d.tb.Fatal(err)
	}
	if len(text) > 0xfc {
		d.tb.Fatal("text of more than 252 bytes")
	}
	msg := "\x18Bitcoin Signed Message:\n" + string([]byte{byte(len(text))}) + text
	hash := chainhash.DoubleHashH([]byte(msg))
	return ecdsa.SignCompact(priv, hash[:], true)
}

// formingExternal is a forming circle of n whose last member has an external key, not proved yet.
func formingExternal(tb testing.TB, k, n int, key string) *circle {
	tb.Helper()
	c, invites := founded(tb, k, n, n)
	for i, p := range c.peers[1:] {
		ck := p.key()
		if i == n-2 {
			parsed, err := ExternalKey(key, wallet.Regtest, wallet.ScriptWSH, nil)
			if err != nil {
				tb.Fatal(err)
			}
			ck = CosignerKey{Key: parsed}
		}
		c.join(p, invites[i], ck)
	}
	c.settle()
	return c
}

// ratifyAll ratifies with the words of the first peer.
func (c *circle) ratifyAll(accept bool) {
	c.tb.Helper()
	r, ok := c.peers[0].m.State.Roster()
	if !ok || !r.Complete() {
		c.tb.Fatalf("roster: %v", c.peers[0].m.Missing())
	}
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words(), AcceptUnproven: accept})
	}
	c.settle()
	for _, p := range c.peers {
		p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	}
}

func TestExternalKeyWaitsForItsProof(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, d.text())
	x := c.peers[2]
	if !x.m.AwaitsProof() || c.peers[0].m.AwaitsProof() {
		t.Fatal("only the member with the external key awaits a proof")
	}
	want, err := x.m.ProofRequest()
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Text) > 240 || strings.ContainsAny(want.Text, "\n\r") {
		t.Errorf("%d characters to sign: %q", len(want.Text), want.Text)
	}
	x.crash() // it waits across restarts
	again, err := x.m.ProofRequest()
	if err != nil || again.Text != want.Text || !x.m.AwaitsProof() {
		t.Fatalf("after a restart: %v, %q", err, again.Text)
	}
	for name, p := range map[string]Prove{
		"of another text":       {Name: "C", How: event.ProofMessage, Proof: d.message(want.Text + ".")},
		"of another key":        {Name: "C", How: event.ProofMessage, Proof: newDevice(t, 8).message(want.Text)},
		"empty":                 {Name: "C", How: event.ProofMessage},
		"as BIP322":             {Name: "C", How: event.ProofBIP322, Proof: d.message(want.Text)},
		"as a PSBT":             {Name: "C", How: event.ProofPSBT, Proof: d.message(want.Text)},
		"none, with some bytes": {Name: "C", How: event.ProofNone, Proof: []byte{1}},
		"by the account itself": {Name: "C", How: event.ProofOwn, Proof: d.account.SignHash([32]byte{1})},
	} {
		if _, err := x.do(p); ruleOf(err) != refusal.Proof {
			t.Errorf("%s: %v", name, err)
		}
	}
	x.must(Prove{Name: "C", How: event.ProofMessage, Proof: d.message(want.Text)})
	if _, err := x.do(Prove{Name: "C", How: event.ProofNone}); ruleOf(err) != refusal.Proved {
		t.Errorf("a second proof: %v", err)
	}
	if _, err := c.peers[0].m.ProofRequest(); ruleOf(err) != refusal.NotExternal {
		t.Errorf("of a node with its own key: %v", err)
	}
	c.settle()
	c.ratifyAll(false)
	for _, p := range c.peers {
		a := p.m.State.Active()
		if a == nil {
			t.Fatalf("%s: %s", p.name, p.m.Missing())
		}
		i, _ := a.Index(x.id())
		if a.Members[i].Proof != event.ProofMessage || a.Members[i].Key.String() != d.text() {
			t.Errorf("%s sees %v by %v", p.name, a.Members[i].Key, a.Members[i].Proof)
		}
	}
	if !x.m.External() || c.peers[0].m.External() {
		t.Error("only the last member's key is external")
	}
}

func ruleOf(err error) string {
	var r *refusal.Refusal
	if errors.As(err, &r) {
		return r.Rule
	}
	return ""
}

func TestUnprovenKeyIsAcceptedByName(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, d.text())
	c.peers[2].must(Prove{Name: "C", How: event.ProofNone})
	c.settle()
	r, _ := c.peers[0].m.State.Roster()
	_, err := c.peers[0].do(Ratify{Words: r.Words()})
	if ruleOf(err) != refusal.UnprovenKey || !strings.Contains(err.Error(), "C") {
		t.Fatalf("ratify without accepting: %v", err)
	}
	if c.peers[0].m.State.Pinned() != ([32]byte{}) {
		t.Error("a refused ratification pinned the roster")
	}
	// Whose key it is knows.
	c.peers[2].must(Ratify{Words: r.Words()})
	c.ratifyAll(true)
	if c.peers[0].m.State.Active() == nil {
		t.Error(c.peers[0].m.Missing())
	}
}

// A proof is of one group, identity and key: taken over into another record it is worth nothing.
func TestProofBindsTheRecord(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, d.text())
	x := c.peers[2]
	want, err := x.m.ProofRequest()
	if err != nil {
		t.Fatal(err)
	}
	good := &event.MemberRecord{Name: "C", SealingKey: x.self.Sealing.Public(), Key: d.text(), How: event.ProofMessage, Proof: d.message(want.Text)}
	if _, err := x.m.State.CheckRecord(x.id(), good); err != nil {
		t.Fatal(err)
	}
	if _, err := x.m.State.CheckRecord(c.peers[1].id(), good); err == nil {
		t.Error("taken over by another identity")
	}
	other := *good
	other.SealingKey = c.peers[1].self.Sealing.Public()
	if _, err := x.m.State.CheckRecord(x.id(), &other); err == nil {
		t.Error("taken over to another sealing key")
	}
	of := x.m.State.Genesis()
	of.Random[0] ^= 1
	genesis, err := event.EncodeGenesis(of)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := group.NewState(x.self, genesis, x.m.local.Secret, x.m.State.Pinned())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.CheckRecord(x.id(), good); err == nil {
		t.Error("taken over to another group")
	}
}

func TestExternalKeysThatAreRefused(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, c0(t))
	x := c.peers[2]
	// The key of the founder: only the founder's entries tell.
	if _, err := x.do(Prove{Name: "C", How: event.ProofNone}); ruleOf(err) != refusal.KeyTaken || !strings.Contains(err.Error(), `"A"`) {
		t.Errorf("another cosigner's key: %v", err)
	}
	before := len(x.out)
	key := d.account.Key()
	xprv := strings.Replace(d.text(), key.XPub, d.xprv.String(), 1)
	shallow := key
	shallow.Path = key.Path[:3]
	for name, text := range map[string]string{
		"a private key": xprv,
		"a mainnet key": "[00000000/48h/0h/0h/2h]xpub6EJnVQWKRQwg4oaJG5gtMpJSpW8pM8kxU1k1gqz9MrhHYqMAHqnDRGUMYDVXbaMcKvCF1cAg51Mzr8tfzFKxHJWSzkwsvnWP5fRUTrXgHrW",
		"no origin":     key.XPub,
		"nonsense":      "hello",
	} {
		_, err := x.do(ChangeKey{Key: text})
		if ruleOf(err) != refusal.BadKey {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), d.xprv.String()) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: the error is %q", name, err)
		}
	}
	if len(x.out) != before || x.m.local.External != c0(t) {
		t.Error("a refused key changed something")
	}
	// A key at another place than BIP48's is its owner's to allow, a master key or another network's is nobody's.
	if _, err := x.do(ChangeKey{Key: shallow.String()}); ruleOf(err) != refusal.KeyOrigin || !overridable(err) {
		t.Errorf("the wrong depth: %v", err)
	}
	for _, text := range []string{xprv, master, "[00000000/48h/0h/0h/2h]xpub6EJnVQWKRQwg4oaJG5gtMpJSpW8pM8kxU1k1gqz9MrhHYqMAHqnDRGUMYDVXbaMcKvCF1cAg51Mzr8tfzFKxHJWSzkwsvnWP5fRUTrXgHrW"} {
		if _, err := x.do(ChangeKey{Key: text, Allow: []string{refusal.KeyOrigin}}); ruleOf(err) != refusal.BadKey || overridable(err) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	if x.m.local.External != c0(t) {
		t.Error("a refused key changed something")
	}
	for _, text := range []string{shallow.String(), tapsigner} {
		x.must(ChangeKey{Key: text, Allow: []string{refusal.KeyOrigin}})
		if x.m.local.External != text {
			t.Errorf("the key is %s", x.m.local.External)
		}
	}
	x.must(ChangeKey{Key: d.text()})
	x.must(Prove{Name: "C", How: event.ProofNone})
	if _, err := x.do(ChangeKey{Key: newDevice(t, 7).text()}); ruleOf(err) != refusal.Proved {
		t.Errorf("another key after the record: %v", err)
	}
}

// tapsigner is a key at the one account that TAPSIGNER has, master one at none.
const (
	tapsigner = "[73c5da0a/48h/1h/0h]tpubDCAEGbq3DZjU3xe5kuwhddqa4jQDUMw1bnWEL6RqH2LJVREpCZE9BZNHvzcoBEAKqApr85YWPSuvq9NCrCaTtr7rNWRzmJ2ri4CTqWnTH8Z"
	master    = "[73c5da0a]tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp"
)

func overridable(err error) bool {
	var r *refusal.Refusal
	return errors.As(err, &r) && r.Overridable
}

// c0 is the key of the first peer of every circle.
func c0(t testing.TB) string {
	t.Helper()
	return newPeer(t, "A", 1, nil).account.Key().String()
}

func TestNodeWithoutItsKeyDoesNotSign(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, d.text())
	c.peers[2].must(Prove{Name: "C", How: event.ProofNone})
	c.settle()
	c.ratifyAll(true)
	c.fund(100_000, 100_000)
	a, x := c.peers[0], c.peers[2]
	p := a.must(pay(1, 40_000)).(Proposed)
	c.settle()
	if _, err := x.do(Approve{Proposal: p.Proposal}); ruleOf(err) != refusal.ExternalKey {
		t.Errorf("approve: %v", err)
	}
	q := x.must(pay(2, 30_000)).(Proposed) // proposes without signing
	made, _ := x.m.State.Proposal(q.Proposal)
	if len(x.m.State.Signatures(made)) != 0 || len(x.Signed) != 0 {
		t.Error("a node without its key signed")
	}
}
