package coordinator

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// shortID is how many characters of a peer id stand beside a name.
const shortID = 12

func peerIDText(who journal.Author) string { return group.Member{Identity: who}.ID() }

func lastChars(who journal.Author) string {
	id := peerIDText(who)
	return id[len(id)-shortID:]
}

// named is a circle of three, two of them under names of their own, whose records
// are in.
func namedCircle(t *testing.T, second, third string) *circle {
	t.Helper()
	c, invites := founded(t, 2, 3, 3)
	c.peers[1].name, c.peers[2].name = second, third
	for i, p := range c.peers[1:] {
		c.join(p, invites[i], p.key())
	}
	c.settle()
	return c
}

// Names that look alike, or cannot be seen, make no wallet: an honest founder
// closes no roster, and says why.
func TestARosterOfNamesThatLookAlikeIsNotClosed(t *testing.T) {
	for _, x := range []struct{ second, third, says string }{
		{"Bob", "Bob", "look alike"},
		{"Bob", "BOB", "look alike"},
		{"Bob", "\u0412\u043e\u0432", "look alike"}, // Cyrillic
		{"A", "Bob", "look alike"},                  // the founder's
		{"Bob", "Bob\u3164", "cannot be seen"},
		{"Bob", "\u2800", "cannot be seen"},
		{"Bob", "Eve\u200b", "cannot be seen"},
		{"Bob", "\u0412\u043eb", "one script"},
		{"Bob", "Eve\u0301\u0301\u0301\u0301", "pile up"},
		{"Bob", "--", "letter or a digit"},
	} {
		c := namedCircle(t, x.second, x.third)
		a := c.peers[0]
		if a.m.State.Counts()["rosters"] > 0 {
			t.Errorf("%q and %q: the roster was closed", x.second, x.third)
		}
		says := a.m.Missing()
		if !strings.Contains(says, x.says) || !strings.Contains(says, peerIDText(c.peers[1].id())) && !strings.Contains(says, peerIDText(c.peers[2].id())) {
			t.Errorf("%q and %q: %s", x.second, x.third, says)
		}
		if x.says == "look alike" {
			for _, k := range a.m.Cosigners() {
				twin := k.Name != "Bob" || x.second == "Bob"
				if shown := k.Called(); twin && k.Identity != a.id() && !strings.HasSuffix(peerIDText(k.Identity), shown[max(0, len(shown)-1-shortID):len(shown)-1]) {
					t.Errorf("%q is shown as %q", k.Name, shown)
				}
			}
		}
	}
	if c := namedCircle(t, "Bob", "Bobby"); c.peers[0].m.State.Counts()["rosters"] != 1 {
		t.Errorf("Bob and Bobby: %s", c.peers[0].m.Missing())
	}
}

// twins is a wallet with two cosigners of one name, as a hostile founder closes
// it and versions before ratified it: an honest node does not.
func twins(t *testing.T) *circle {
	t.Helper()
	c := namedCircle(t, "Bob", "Bob")
	a := c.peers[0]
	ids, _ := a.m.State.Places()
	if _, err := a.wild(&event.RosterClosed{Records: ids}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	for _, p := range c.peers {
		r, ok := p.m.State.Roster()
		if !ok || !r.Complete() {
			t.Fatalf("%s: %s", p.name, p.m.Missing())
		}
		_, err := p.do(Ratify{Words: r.Words()})
		if ruleOf(err) != refusal.NameTaken {
			t.Fatalf("%s ratifies two of one name: %v", p.name, err)
		}
		for _, other := range c.peers[1:] {
			if !strings.Contains(err.Error(), peerIDText(other.id())) {
				t.Errorf("%v does not name %s", err, other.id())
			}
		}
	}
	return c
}

// In a wallet that has two of one name already, each is told apart wherever it is
// named; and nobody is kept out of it.
func TestTwoOfOneNameAreToldApart(t *testing.T) {
	c := twins(t)
	for _, p := range c.peers {
		r, _ := p.m.State.Roster()
		// As a version did that looked at no names.
		if _, err := p.wild(&event.RosterRatified{Hash: r.Hash}); err != nil {
			t.Fatal(err)
		}
		p.m.State = p.m.State.WithPin(r.Hash)
		p.Kept[recPin] = r.Hash[:]
	}
	c.settle()
	for _, p := range c.peers {
		p.m.State = p.m.State.Activated()
		if p.m.State.Active() == nil {
			t.Fatalf("%s: %s", p.name, p.m.Missing())
		}
		p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	}
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := b.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	z.must(Reject{Proposal: id, Reason: "no"})
	c.settle()
	p, ok := a.m.State.Proposal(id)
	if !ok {
		t.Fatal("no proposal")
	}
	of := func(x *peer) string { return "Bob (\u2026" + lastChars(x.id()) + ")" }
	if got := a.m.MemberName(p.Author()); got != of(b) {
		t.Errorf("author %q", got)
	}
	if got := a.m.Approvals(p); len(got) != 1 || got[0].Member.Called() != of(b) {
		t.Errorf("approved by %+v", got)
	}
	if got := a.m.Rejections(p); len(got) != 1 || got[0].Member.Called() != of(z) {
		t.Errorf("rejected by %+v", got)
	}
	if got := a.m.HeldBy(p); !slices.ContainsFunc(got, func(m group.Member) bool { return m.Called() == of(b) }) || got[0].Called() == got[len(got)-1].Called() {
		t.Errorf("held by %+v", got)
	}
	if got := a.m.MemberName(a.id()); got != "A" {
		t.Errorf("who needs no id is %q", got)
	}
	a.crash()
	if got := a.m.MemberName(b.id()); got != of(b) {
		t.Errorf("after a restart %q", got)
	}
	r, _ := z.m.State.Roster()
	z.must(Ratify{Words: r.Words()}) // again: harmless
}

// What this node writes is held to more than what makes an event valid.
func TestWrittenTextIsPlain(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	script, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a\u200bb", "\u3164", "e\u0301\u0301\u0301"} {
		if err := event.CheckText("note", text, event.MaxTextBytes, true); err != nil {
			t.Errorf("%+q: an entry of an older version would be without effect: %v", text, err)
		}
		note, label := pay(1, 100_000), pay(1, 100_000)
		note.Note, label.Outputs[0].Label = text, text
		for _, cmd := range []Message{note, label, SetLabels{Edits: []LabelEdit{{Target: event.AddressTarget(script.PkScript), Text: text}}}} {
			if _, err := a.do(cmd); !errors.Is(err, refusal.ErrBadRequest) {
				t.Errorf("%T with %+q: %v", cmd, text, err)
			}
		}
	}
	fine := pay(1, 100_000)
	fine.Note = "two\nlines, J\u00fcrgen \u2764\ufe0f"
	a.must(fine)
}

func TestNamesAreCheckedAtTheDoor(t *testing.T) {
	c, invites := founded(t, 2, 4, 3)
	a, b := c.peers[0], c.peers[1]
	b.name = "Bob"
	c.join(b, invites[0], b.key())
	c.settle()
	z := c.peers[2]
	nonce := [32]byte{9}
	grant := a.must(Admit{Joiner: z.id(), Nonce: nonce, Proof: invites[1].Proof(z.id(), nonce)}).(port.Grant)
	if !slices.Equal(grant.Names, []string{"A", "Bob"}) && !slices.Equal(grant.Names, []string{"Bob", "A"}) {
		t.Errorf("names at the door: %q", grant.Names)
	}
	again := a.must(Admit{Joiner: b.id(), Nonce: nonce, Proof: invites[0].Proof(b.id(), nonce)}).(port.Grant)
	if !slices.Equal(again.Names, []string{"A"}) {
		t.Errorf("whoever is in already is told of its own name: %q", again.Names)
	}
	for name, want := range map[string]string{"Zoe": "", "bob": refusal.NameTaken, "B\u00f6b": refusal.NameTaken, "a": refusal.NameTaken} {
		if err := FreeName(name, grant.Names); ruleOf(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, bad := range []string{"", "\u2800", "Bob\u200b", "12D3KooWEve", "Bob (\u2026abcdefghijkl)", "Bob (...abc)", strings.Repeat("x", 65)} {
		if err := FreeName(bad, nil); !errors.Is(err, refusal.ErrBadRequest) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	a.must(Host{Name: "Hal", Key: newDevice(t, 9).text()})
	for _, bad := range []string{"bob", "HAL", "A"} {
		if _, err := a.do(Host{Name: bad, Key: newDevice(t, 8).text()}); ruleOf(err) != refusal.NameTaken {
			t.Errorf("hosts %q: %v", bad, err)
		}
	}
}
