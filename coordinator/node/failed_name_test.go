package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// nameless lists one wallet, of which no more than its local record can be read,
// or not even that.
type nameless struct {
	port.Store
	group journal.GroupID
	local []byte
}

func (s nameless) Records(_ context.Context, g journal.GroupID, prefix string) (map[string][]byte, error) {
	switch {
	case g != s.group:
		return map[string][]byte{recGroup + s.group.String(): {1}}, nil
	case prefix == "local" && s.local != nil:
		return map[string][]byte{"local": s.local}, nil
	case prefix == "local":
		panic("index out of range")
	}
	return nil, errors.New("it is damaged")
}

// The name of a wallet that could not be opened stays its own: no founder of
// another one gets it, nor one that looks like it, whether it can be read or not.
func TestTheNameOfAFailedWalletIsTaken(t *testing.T) {
	local, err := record.Encode(coordinator.Local{Name: "vault"})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what, name string
		local      []byte
		free       bool // another name
	}{
		{"its name is read", "vault", local, true},
		{"it panics", "", nil, false},
		{"its record is damaged", "", []byte{0xff}, false},
	} {
		t.Run(x.what, func(t *testing.T) {
			s := nameless{group: journal.GroupID{1}, local: x.local}
			n := New(t.Context(), Ports{Store: s, Clock: wallClock{}, Log: slog.New(slog.DiscardHandler)}, &group.Self{}, wallet.Regtest, "a")
			defer n.Close()
			if err := n.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f := n.Failed(); len(f) != 1 || f[0].Name != x.name || f[0].Err == nil {
				t.Fatalf("failed: %+v", f)
			}
			other := journal.GroupID{9}
			for _, name := range []string{"vault", "Vault"} {
				if got := n.ports.names.claim(other, name); got != name+"-"+other.String()[:8] {
					t.Errorf("another founder's wallet %q is called %q", name, got)
				}
			}
			if got := n.ports.names.claim(other, "savings"); (got == "savings") != x.free {
				t.Errorf("another founder's wallet \"savings\" is called %q", got)
			}
			if err := n.ports.names.take(other, "vault"); (err == nil) != (x.name == "") {
				t.Errorf("the user gives another wallet the name: %v", err)
			}
		})
	}
}

func (nameless) TrimNotices(context.Context, port.NoticeLimits) error { return nil }
