package group

import (
	"errors"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// What the founder lists is checked by everybody.
func TestHostedRosterRules(t *testing.T) {
	g := foundInside(t, 1, 2)
	a := g.all[0]
	a.record = g.write(a, a.describes(g.st.Group(), a.salt)).ID()
	st := g.st
	device := func(n byte) string { return newInsider(t, "", n).account.Key().String() }
	add := func(author byte, b *event.MemberRecord) journal.EntryID {
		k, err := wallet.ParseKey(b.Key, wallet.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		who := journal.Author{author}
		if author == 0 {
			who = a.id()
		}
		id := journal.EntryID{author, byte(len(b.Name)), 7}
		st.records = st.records.Set(mapkey.Of(id), Record{Ref{ID: id, Chain: journal.ChainKey{Author: who, Incarnation: 1}}, b, k})
		return id
	}
	own, _ := st.OwnRecord(a.id())
	hal := add(0, &event.MemberRecord{Name: "Hal", Key: device(9), How: event.ProofNone, Hosted: true})
	other := add(5, &event.MemberRecord{Name: "Othe", Key: device(8), How: event.ProofNone, Hosted: true})
	twice := add(0, &event.MemberRecord{Name: "Twice", Key: own.Key.String(), How: event.ProofNone, Hosted: true})
	roster := func(ids ...journal.EntryID) bool {
		_, ok := st.roster(rosterFact{Ref{Chain: journal.ChainKey{Author: a.id(), Incarnation: 1}}, ids})
		return ok
	}
	if !roster(own.Ref.ID, hal) {
		t.Error("the founder and its hosted cosigner are no roster")
	}
	r, _ := st.RosterOf(a.chain(), []journal.EntryID{own.Ref.ID, hal})
	act := &Active{Roster: *r}
	for name, of := range map[string]func(journal.Author) (int, bool){"index": act.Index, "keyOf": act.KeyOf, "original": act.original} {
		if _, ok := of(journal.Author{}); ok {
			t.Errorf("%s finds a member of no identity", name)
		}
		if k, ok := of(a.id()); !ok || act.Members[k].Original != a.id() {
			t.Errorf("%s does not find the founder", name)
		}
	}
	if roster(own.Ref.ID, other) {
		t.Error("a cosigner is hosted by one who is no member")
	}
	if roster(own.Ref.ID, twice) {
		t.Error("one key is two cosigners")
	}
	if roster(hal, other) || roster(hal, hal) {
		t.Error("a roster without its founder")
	}
	for name, b := range map[string]*event.MemberRecord{
		"own proof":   {Name: "Hal", Key: device(9), Hosted: true, Proof: []byte{1}},
		"sealing key": {Name: "Hal", Key: device(9), Hosted: true, How: event.ProofNone, SealingKey: [32]byte{1}},
	} {
		if _, err := event.Encode(event.Event{Body: b}); !errors.Is(err, event.ErrEvent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
