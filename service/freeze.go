package service

import (
	"context"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
)

// FreezeCoin freezes a coin for all members, or lifts that.
func (n *Node) FreezeCoin(ctx context.Context, ref, coin string, r api.FreezeCoin) (api.CoinFreeze, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.CoinFreeze{}, err
	}
	op, err := parseOutPoint(coin)
	if err != nil {
		return api.CoinFreeze{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.Freeze{Coin: op, Undo: r.Undo, Note: r.Note, Allow: r.Allow}); err != nil {
		return api.CoinFreeze{}, n.apiError(err)
	}
	return api.CoinFreeze{Wallet: a.Group().String(), OutPoint: op.String(), Frozen: frozen(a.Machine(), op)}, nil
}

// frozen says who froze a coin, and why.
func frozen(m *coordinator.Machine, coin wire.OutPoint) *api.Freeze {
	f, ok := m.State.Frozen(coin)
	if !ok {
		return nil
	}
	return &api.Freeze{By: personOf(m, f.Ref.Chain.Author), Note: api.Text(f.Note), Time: api.Time(time.UnixMilli(f.Ref.Time))}
}
