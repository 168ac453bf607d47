package service

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
)

// Freeze freezes all spending from a wallet.
func (n *Node) Freeze(ctx context.Context, ref string, r api.FreezeWallet) (api.WalletFreezes, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletFreezes{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.Stop{Reason: r.Reason, Allow: r.Allow}); err != nil {
		return api.WalletFreezes{}, n.apiError(err)
	}
	return walletFreezes(a), nil
}

// Unfreeze says that this member is for lifting freezes.
func (n *Node) Unfreeze(ctx context.Context, ref string, r api.UnfreezeWallet) (api.WalletFreezes, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletFreezes{}, err
	}
	cmd := coordinator.Lift{Allow: r.Allow}
	for _, text := range r.Freezes {
		id, err := freezeID(text)
		if err != nil {
			return api.WalletFreezes{}, err
		}
		cmd.Freezes = append(cmd.Freezes, id)
	}
	if _, err := node.Do(ctx, a, cmd); err != nil {
		return api.WalletFreezes{}, n.apiError(err)
	}
	return walletFreezes(a), nil
}

func walletFreezes(a *node.Actor) api.WalletFreezes {
	m := a.Machine()
	return api.WalletFreezes{Wallet: a.Group().String(), WalletName: m.Name(), Freezes: freezes(m)}
}

// freezes are those of all spending that stand.
func freezes(m *coordinator.Machine) (out []api.GroupFreeze) {
	for _, f := range m.State.GroupFreezes(m.View.Tip().Height) {
		x := api.GroupFreeze{
			Freeze: f.Ref.ID.String(), By: personOf(m, f.Ref.Chain.Author), Reason: api.Text(f.Reason), Time: api.Time(time.UnixMilli(f.Ref.Time)),
			Needed: m.State.LiftsNeeded(),
		}
		for _, k := range f.For {
			x.Lifts = append(x.Lifts, person(m.State.Active().Members[k]))
		}
		if f.Rests > 0 {
			x.Rests = &f.Rests
		}
		out = append(out, x)
	}
	return out
}

func freezeID(text string) (journal.EntryID, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(journal.EntryID{}) {
		return journal.EntryID{}, api.Misuse("bad_freeze", "the id of a freeze is 64 hex characters", "`quorate wallet show` lists those that stand")
	}
	return journal.EntryID(b), nil
}
