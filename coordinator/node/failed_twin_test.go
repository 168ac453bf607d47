package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// mute is a signer that is not there.
type mute struct{ accounts }

func (mute) AccountKey(context.Context, wallet.ScriptType, uint32) (wallet.Key, error) {
	return wallet.Key{}, errors.New("no signer")
}

// A wallet that could not be opened counts where another one may be the same: by its
// descriptor, by this node's key in it, or because nothing of it can be read.
func TestAFailedWalletMayBeATwin(t *testing.T) {
	me := newPeer(t, "A", 1, nil)
	key := func(n byte, account uint32) wallet.Key {
		a, err := wallet.DeriveAccount(newPeer(t, "x", n, nil).seed, wallet.Regtest, wallet.ScriptWSH, account)
		if err != nil {
			t.Fatal(err)
		}
		return a.Key()
	}
	of := func(threshold int, keys ...wallet.Key) *wallet.Descriptor {
		d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, threshold, keys)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	genesis := func(d *wallet.Descriptor) []byte {
		g := event.Genesis{Version: 1, Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest"}
		if d != nil {
			g.Descriptor = d.String()
		}
		b, err := event.EncodeGenesis(g)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	local := func(l coordinator.Local) []byte {
		b, err := record.Encode(l)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	d := of(2, key(1, 3), key(2, 0), key(3, 0))
	without := of(2, key(1, 4), key(2, 0), key(3, 0))
	for _, x := range []struct {
		what     string
		local    []byte
		d        *wallet.Descriptor
		newKey   bool
		noSigner bool
		want     bool
	}{
		{"founded around it", local(coordinator.Local{Name: "v", Genesis: genesis(d)}), d, false, false, true},
		{"its keys in another order", local(coordinator.Local{Name: "v", Genesis: genesis(of(2, key(3, 0), key(1, 3), key(2, 0)))}), d, true, false, true},
		{"founded around another", local(coordinator.Local{Name: "v", Genesis: genesis(d)}), without, false, false, false},
		{"with this node's key", local(coordinator.Local{Name: "v", Genesis: genesis(nil), Script: wallet.ScriptWSH, Account: 3}), d, false, false, true},
		{"with another of its keys", local(coordinator.Local{Name: "v", Genesis: genesis(nil), Script: wallet.ScriptWSH, Account: 3}), without, false, false, false},
		{"of another threshold", local(coordinator.Local{Name: "v", Genesis: genesis(nil), Script: wallet.ScriptWSH, Account: 3}), of(1, key(1, 3), key(2, 0), key(3, 0)), false, false, false},
		{"with an external key", local(coordinator.Local{Name: "v", Genesis: genesis(nil), External: key(2, 0).String()}), d, false, true, true},
		{"with another external key", local(coordinator.Local{Name: "v", Genesis: genesis(nil), External: key(2, 9).String()}), d, false, true, false},
		{"with a lost one's key", local(coordinator.Local{Name: "v", Genesis: genesis(nil), Key: key(3, 0).String()}), d, false, true, true},
		{"without a signer", local(coordinator.Local{Name: "v", Genesis: genesis(nil), Script: wallet.ScriptWSH, Account: 3}), without, false, true, true},
		{"put aside", local(coordinator.Local{Name: "v", Genesis: genesis(d), Archived: true}), d, false, false, false},
		{"with no genesis", local(coordinator.Local{Name: "v"}), d, false, false, true},
		{"with no genesis, and the key is new", local(coordinator.Local{Name: "v"}), d, true, false, false},
		{"not to be read", []byte{0xff}, d, false, false, true},
		{"not to be read, and the key is new", []byte{0xff}, d, true, false, false},
	} {
		t.Run(x.what, func(t *testing.T) {
			ports := Ports{Store: nameless{group: journal.GroupID{1}, local: x.local}, Clock: wallClock{}, Signer: accounts{of: me}, Log: slog.New(slog.DiscardHandler)}
			if x.noSigner {
				ports.Signer = mute{}
			}
			n := New(t.Context(), ports, &group.Self{}, wallet.Regtest, "A")
			defer n.Close()
			if err := n.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f, ok := n.FailedTwin(t.Context(), x.d, x.newKey); ok != x.want || ok && f.Group != (journal.GroupID{1}) {
				t.Errorf("%v, of %v", ok, f.Group)
			}
		})
	}
}
