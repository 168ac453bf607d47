package port

import (
	"errors"
	"testing"
	"time"

	"github.com/quorate/quorate/journal"
)

func sampleInvite() Invite {
	return Invite{
		Group: journal.GroupID{1}, Founder: journal.Author{2}, Secret: [32]byte{3},
		Addresses: []string{"/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1"},
		Expires:   time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC),
	}
}

func TestInviteRoundTrip(t *testing.T) {
	inv := sampleInvite()
	got, err := ParseInvite("  " + inv.String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != inv.String() || !got.Expires.Equal(inv.Expires) || len(got.Addresses) != 2 {
		t.Fatalf("%+v", got)
	}
	s := inv.String()
	for name, bad := range map[string]string{
		"cut short": s[:len(s)-7], "one letter changed": s[:30] + swap(s[30]) + s[31:], "empty": "",
		"another prefix": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "too long": s + s + s + s + s + s,
	} {
		if _, err := ParseInvite(bad); !errors.Is(err, ErrInviteFormat) {
			t.Errorf("%s: %v, want ErrInviteFormat", name, err)
		}
	}
}

func swap(c byte) string {
	if c == 'q' {
		return "p"
	}
	return "q"
}

func TestInviteProofBindsEverything(t *testing.T) {
	inv := sampleInvite()
	base := inv.Proof(journal.Author{9}, [32]byte{8})
	other := inv
	other.Secret[0]++
	group := inv
	group.Group[0]++
	founder := inv
	founder.Founder[0]++
	for name, p := range map[string][32]byte{
		"joiner": inv.Proof(journal.Author{10}, [32]byte{8}), "nonce": inv.Proof(journal.Author{9}, [32]byte{7}),
		"secret": other.Proof(journal.Author{9}, [32]byte{8}), "group": group.Proof(journal.Author{9}, [32]byte{8}),
		"founder": founder.Proof(journal.Author{9}, [32]byte{8}),
	} {
		if p == base {
			t.Errorf("the proof does not depend on the %s", name)
		}
	}
}

func FuzzParseInvite(f *testing.F) {
	f.Add(sampleInvite().String())
	f.Add("quorate1")
	f.Fuzz(func(t *testing.T, s string) {
		inv, err := ParseInvite(s)
		if err != nil {
			if !errors.Is(err, ErrInviteFormat) {
				t.Fatalf("unnamed error: %v", err)
			}
			return
		}
		if again, err := ParseInvite(inv.String()); err != nil || again.String() != inv.String() {
			t.Fatalf("does not survive a round trip: %v", err)
		}
	})
}
