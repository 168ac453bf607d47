package coordinator

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// label has a peer give one target a label; the result is whether it was new.
func (p *peer) label(t event.LabelTarget, text string) bool {
	p.tb.Helper()
	return p.must(SetLabels{Edits: []LabelEdit{{t, text}}}).(LabelsSet).Changed == 1
}

// shown is what a peer shows for a target.
func (p *peer) shown(t event.LabelTarget) string {
	l, _ := p.m.State.Label(t)
	return l.Text
}

func (c *circle) allShow(t event.LabelTarget, want string) {
	c.tb.Helper()
	c.settle()
	for _, p := range c.peers {
		if got := p.shown(t); got != want {
			c.tb.Errorf("%s shows %q, want %q", p.name, got, want)
		}
	}
}

// wildLabel is a label by whatever rules its author likes.
func (p *peer) wildLabel(t event.LabelTarget, text string, over ...journal.EntryID) journal.EntryID {
	p.tb.Helper()
	slices.SortFunc(over, func(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) })
	e, err := p.wild(&event.LabelSet{Target: t.Kind, Of: t.Bytes(), Text: text, Supersedes: over})
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

func TestALabelIsSharedEditedAndRemoved(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	tx := event.TxTarget(coins[0].Hash)
	if !a.label(tx, "rent") {
		t.Error("a new label changed nothing")
	}
	c.allShow(tx, "rent")
	if l, ok := b.m.State.Label(tx); !ok || l.Ref.Chain.Author != a.id() {
		t.Errorf("the label is of %v", l.Ref.Chain.Author)
	}
	entries := len(b.Held)
	if b.label(tx, "rent") || len(b.Held) != entries {
		t.Error("a repeat of the same text wrote an entry")
	}
	if !b.label(tx, "rent, May") {
		t.Error("an edit changed nothing")
	}
	c.allShow(tx, "rent, May")
	z.label(tx, "")
	c.allShow(tx, "")
	if got := a.m.State.Labels(); len(got) != 0 {
		t.Errorf("labels are left: %v", got)
	}
	if z.label(tx, "") {
		t.Error("nothing was removed twice")
	}
	// It survives a crash, with a snapshot and without.
	z.label(tx, "again")
	z.crash()
	if z.shown(tx) != "again" {
		t.Error("the label is gone after a crash")
	}
	again := throughSnapshot(t, z, z.m.State)
	if l, _ := again.Label(tx); l.Text != "again" {
		t.Error("the snapshot has no labels")
	}
}

// Two who edit at one moment do not see each other: of the two the lowest entry
// id shows to all, and the next edit stands in the place of both.
func TestOfSeveralLabelsTheLowestIdShows(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	out := event.OutputTarget(coins[0])
	x, y := a.wildLabel(out, "of A"), b.wildLabel(out, "of B")
	want := "of A"
	if bytes.Compare(y[:], x[:]) < 0 {
		want = "of B"
	}
	c.allShow(out, want)
	z.label(out, "of Z")
	c.allShow(out, "of Z")
	if got := a.m.State.LabelsLeft(out); got != 1 {
		t.Errorf("%d labels are left", got)
	}
	// A label of something else does not supersede this one, whatever it names.
	shows, _ := a.m.State.Label(out)
	a.wildLabel(event.TxTarget(coins[0].Hash), "elsewhere", shows.Ref.ID)
	c.allShow(out, "of Z")
}

// A member who writes many labels that supersede nothing cannot keep another
// from editing them away: its last one is in the place of all of them.
func TestMoreLabelsThanOneEntrySupersedes(t *testing.T) {
	c := active(t, 2, 2)
	coins := c.fund(500_000)
	a, evil := c.peers[0], c.peers[1]
	tx := event.TxTarget(coins[0].Hash)
	for range event.MaxSupersedes + 20 {
		evil.wildLabel(tx, "noise")
	}
	c.settle()
	before := len(a.Held)
	a.label(tx, "signal")
	if n := len(a.Held) - before; n != 1 {
		t.Errorf("took %d entries", n)
	}
	c.allShow(tx, "signal")
	if got := evil.m.State.LabelsLeft(tx); got != 1 {
		t.Errorf("%d labels are left", got)
	}
}

func TestATaintedLabelHasNoEffect(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, evil := c.peers[0], c.peers[2]
	tx := event.TxTarget(coins[0].Hash)
	a.label(tx, "true")
	c.allShow(tx, "true")
	// The fork: two entries of one seq, each of which supersedes.
	honest, _ := a.m.State.Label(tx)
	before := evil.m
	evil.wildLabel(tx, "false", honest.Ref.ID)
	for _, p := range []*peer{a, c.peers[1]} {
		for _, e := range evil.Held {
			_, _ = p.do(EntryIn{e})
		}
	}
	if a.shown(tx) != "false" {
		t.Fatal("an untainted label does not supersede")
	}
	evil.m = before
	evil.wildLabel(tx, "")
	for _, p := range []*peer{a, c.peers[1]} {
		for _, e := range evil.Held {
			_, _ = p.do(EntryIn{e})
		}
		if p.m.State.Chains().ForkedAt(journal.ChainKey{Author: evil.id(), Incarnation: 1}) == 0 {
			t.Fatalf("%s did not see the fork", p.name)
		}
		if got := p.shown(tx); got != "true" {
			t.Errorf("%s shows %q after the fork", p.name, got)
		}
	}
}

// One who was let in while the wallet was forming, and is not in its roster,
// labels nothing.
func TestOnlyMembersLabel(t *testing.T) {
	c := active(t, 2, 2)
	coins := c.fund(500_000)
	a := c.peers[0]
	tx := event.TxTarget(coins[0].Hash)
	for who, want := range map[*peer]string{c.peers[1]: "mine", a.stranger(20): ""} {
		id := who.wildLabel(tx, "mine")
		st, err := a.m.State, error(nil)
		for _, chain := range who.Chains() {
			for _, e := range chain {
				if st.Chains().Has(e.ID()) {
					continue
				}
				if st, _, err = st.Add(e, false); err != nil {
					t.Fatal(err)
				}
				st = st.Derived()
			}
		}
		if !st.Chains().Has(id) || st.Counts()["labels"] != a.m.State.Counts()["labels"]+1 {
			t.Fatal("the label was not folded")
		}
		if l, _ := st.Label(tx); l.Text != want {
			t.Errorf("%s has others show %q, want %q", who.name, l.Text, want)
		}
	}
}

func TestLabelRefusals(t *testing.T) {
	forming := newCircle(t, 2, 2)
	forming.settle()
	forming.peers[0].refused(refusal.NotActive, SetLabels{Edits: []LabelEdit{{event.TxTarget([32]byte{1}), "early"}}})
	if forming.peers[0].wildLabel(event.TxTarget([32]byte{1}), "early"); forming.peers[0].shown(event.TxTarget([32]byte{1})) != "" {
		t.Error("a label shows before the wallet is active")
	}
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a := c.peers[0]
	own, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]event.LabelTarget{
		"an unknown transaction":             event.TxTarget([32]byte{1}),
		"an output that a known one lacks":   event.OutputTarget(wire.OutPoint{Hash: coins[0].Hash, Index: 1}),
		"an output of an unknown one":        event.OutputTarget(wire.OutPoint{Hash: [32]byte{1}}),
		"an address of somebody else":        event.AddressTarget(recipient(1)),
		"nothing":                            {},
		"a kind that nobody knows":           event.TargetOf(string([]byte{9, 32}) + string(make([]byte, 32))),
		"the last output there could be":     event.OutputTarget(wire.OutPoint{Hash: coins[0].Hash, Index: 1<<32 - 1}),
		"an address of ours, but not yet":    event.AddressTarget(bytes.Repeat([]byte{1}, 34)),
		"the script of a transaction's txid": event.AddressTarget(coins[0].Hash[:]),
	} {
		r := a.refused(refusal.NotOfWallet, SetLabels{Edits: []LabelEdit{{event.AddressTarget(own.PkScript), "kept out with the rest"}, {x, "x"}}})
		if r.Text == "" {
			t.Errorf("%s: no text", name)
		}
	}
	for name, text := range map[string]string{
		"too long": strings.Repeat("x", event.MaxLabelBytes+1), "a line break": "a\nb", "an escape": "a\x1b[2J", "turned around": "pay \u202eeciL", "not UTF-8": "a\xff",
	} {
		if _, err := a.do(SetLabels{Edits: []LabelEdit{{event.AddressTarget(own.PkScript), text}}}); !errors.Is(err, event.ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
	if _, err := a.do(SetLabels{Edits: make([]LabelEdit, MaxLabelEdits+1)}); !errors.Is(err, refusal.ErrBadRequest) {
		t.Errorf("too many at once: %v", err)
	}
	if a.shown(event.AddressTarget(own.PkScript)) != "" {
		t.Error("a refused command left a label")
	}
	if !a.label(event.AddressTarget(own.PkScript), strings.Repeat("x", event.MaxLabelBytes)) {
		t.Error("the longest label was not taken")
	}
}

// A coin shows its own label, else its address's, else its transaction's; a
// transaction its own, else the note it was proposed with.
func TestWhatCoinsAndHistoryShow(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000, 600_000)
	a := c.peers[0]
	coin := func(i int) string {
		o, ok := a.m.View.Out(coins[i])
		if !ok {
			t.Fatal("no such coin")
		}
		return a.m.State.LabelReader().OfCoin(a.m.View, o)
	}
	script, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 1)
	if err != nil {
		t.Fatal(err)
	}
	a.label(event.TxTarget(coins[0].Hash), "tx")
	if coin(0) != "tx" || coin(1) != "tx" {
		t.Errorf("%q and %q", coin(0), coin(1))
	}
	a.label(event.AddressTarget(script.PkScript), "address")
	if coin(0) != "tx" || coin(1) != "address" {
		t.Errorf("%q and %q", coin(0), coin(1))
	}
	a.label(event.OutputTarget(coins[1]), "output")
	if coin(0) != "tx" || coin(1) != "output" {
		t.Errorf("%q and %q", coin(0), coin(1))
	}
	x := pay(1, 100_000)
	x.Note = "note"
	p, _ := a.m.State.Proposal(a.must(x).(Proposed).Proposal)
	if got, _ := a.m.State.LabelReader().OfTx(p.TxID); got != "note" {
		t.Errorf("a proposed transaction shows %q", got)
	}
	a.label(event.TxTarget(p.TxID), "its own")
	if got, _ := a.m.State.LabelReader().OfTx(p.TxID); got != "its own" {
		t.Errorf("a labelled transaction shows %q", got)
	}
}

// Whoever enters a transaction again, with another note, an earlier time or any
// id, does not take the place of its proposer.
func TestANoteIsItsProposers(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Note = "invoice 4711, ACME"
	id := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := a.m.State.Proposal(id)
	note := func(want journal.Author) {
		t.Helper()
		text, by := b.m.State.LabelReader().OfTx(p.TxID)
		if (text == x.Note) != (want == a.id()) || by != want {
			t.Fatalf("the history shows %q of %s", text, b.m.MemberName(by))
		}
	}
	copied := *p.Body
	copied.Note = "refund, agreed by phone"
	next := evil.nextPlace()
	lower, last := false, journal.EntryID{}
	for n := 0; n < 20 || !lower; n++ {
		e := evil.forge(next, &copied) // claims to be of 1970
		last = e.ID()
		lower = lower || string(last[:]) < string(id[:])
		for _, to := range []*peer{a, b} {
			to.must(EntryIn{e})
		}
		note(a.id())
	}
	// Signed by all, and approved under its own copy by the hostile one.
	b.must(Approve{Proposal: id})
	c.settle(a, b)
	note(a.id())
	spend, err := p.Spend(evil.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	sigs, err := spend.Sign(evil.account)
	if err != nil {
		t.Fatal(err)
	}
	approval := &event.ProposalApproved{Proposal: last}
	for _, s := range sigs {
		approval.Signatures = append(approval.Signatures, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	e := evil.forge(next, approval)
	for _, to := range []*peer{a, b} {
		to.must(EntryIn{e})
	}
	note(a.id())
	c.mine(b.sent[len(b.sent)-1:], a, b)
	note(a.id())
	h, _ := b.m.History(nil, 10, Period{})
	if h[0].TxID != p.TxID || h[0].Proposal != id {
		t.Errorf("the history says proposal %s", h[0].Proposal)
	}
}

// A note of a proposal that its author did not sign shows only where no other
// member entered the transaction.
func TestANoteOfAnUnsignedProposal(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Note, x.Unsigned = "rent", true
	p, _ := a.m.State.Proposal(a.must(x).(Proposed).Proposal)
	c.settle()
	if text, by := b.m.State.LabelReader().OfTx(p.TxID); text != "rent" || by != a.id() {
		t.Errorf("%q of %s", text, by)
	}
	copied := *p.Body
	copied.Note = "salary"
	b.must(EntryIn{evil.forge(evil.nextPlace(), &copied)})
	if text, _ := b.m.State.LabelReader().OfTx(p.TxID); text != "" {
		t.Errorf("%q, of one of two", text)
	}
}
