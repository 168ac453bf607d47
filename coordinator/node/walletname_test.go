package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// A node takes the founder's name where it leads nowhere else, in the commit that
// brings it, and keeps it.
func TestAWalletIsNamedOnce(t *testing.T) {
	taken := journal.GroupID{7}
	for _, x := range []struct{ other, want string }{
		{"", "treasury"},
		{"savings", "treasury"},
		{"treasury", "treasury-ID"},
		{"Treаsury", "treasury-ID"}, // with a Cyrillic letter
	} {
		c := active(t, 2, 3)
		p := c.peers[1]
		synctest.Test(t, func(t *testing.T) {
			names := newWalletNames()
			names.hold(taken, x.other)
			a := NewActor(t.Context(), Ports{
				Store: &p.Disk, Transport: quietTransport{}, Chain: datedChain{followed: make(chan int32, 100)},
				Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler), names: names,
			}, p.m)
			defer a.Close()
			synctest.Wait()
			if m := a.Machine(); m.OwnName() != "" || m.NamedHere("treasury") || m.Name() != "treasury" {
				t.Errorf("named %q before all wallets are known", m.OwnName())
			}
			names.completed()
			if _, err := Do(t.Context(), a, coordinator.Archive{Undo: true}); err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(x.want, "ID", a.Group().String()[:8])
			if m := a.Machine(); !m.NamedHere(want) || (m.FounderName() == "") != (want == "treasury") {
				t.Errorf("beside %q it is named %q, its founder calls it %q", x.other, m.Name(), m.FounderName())
			}
			again, err := coordinator.Load(t.Context(), &p.Disk, p.self, a.Group())
			if err != nil || !again.NamedHere(want) {
				t.Errorf("after a restart %q: %v", again.Name(), err)
			}
		})
	}
}

func TestWalletNames(t *testing.T) {
	n := newWalletNames()
	a, b, d := journal.GroupID{1}, journal.GroupID{0xab, 0xcd}, journal.GroupID{0xab, 0xcd, 0, 0, 1}
	rule := func(err error) string {
		var r *refusal.Refusal
		if errors.As(err, &r) {
			return r.Rule
		}
		return ""
	}
	n.completed()
	if err := n.take(a, "Rent"); err != nil {
		t.Fatal(err)
	}
	if err := n.take(a, "rent"); err != nil {
		t.Errorf("its own name again: %v", err)
	}
	for name, want := range map[string]string{"RENT": refusal.NameTaken, "Rént": refusal.NameTaken, "deadbeef": refusal.BadName, "DEADBEEF": refusal.BadName, strings.Repeat("a1", 32): refusal.BadName} {
		if err := n.take(b, name); rule(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", " ", "a\nb", "\u2800", "r\u200bent", "r\u0435nt", strings.Repeat("x", 65)} {
		if err := n.take(b, name); !errors.Is(err, refusal.ErrBadRequest) {
			t.Errorf("%q: %v", name, err)
		}
	}
	// Whatever a founder proposes, a node gives a name that leads to no other.
	for proposed, want := range map[string]string{
		"face": "face", "rent": "rent-abcd0000", "deadbeef": "wallet-abcd0000", "\u2800": "wallet-abcd0000", "a\nb": "wallet-abcd0000",
		"w" + strings.Repeat("é", 31): "w" + strings.Repeat("é", 31),
	} {
		if got := n.claim(b, proposed); got != want {
			t.Errorf("%q becomes %q", proposed, got)
		}
	}
	n.hold(b, "rent-abcd0000")
	if got := n.claim(d, "rent"); got != "rent-abcd000001000000" {
		t.Errorf("beside that %q", got)
	}
	long := strings.Repeat("é", 32)
	n.hold(a, long)
	if got := n.claim(b, long); len(got) > event.MaxNameBytes || display.CheckName(got) != nil || !strings.HasSuffix(got, "é-abcd0000") {
		t.Errorf("a long name becomes %q", got)
	}
	n.hold(a, "")
	if err := n.take(b, long); err != nil {
		t.Errorf("a name that is free again: %v", err)
	}
}
