package service

import (
	"context"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
)

// NewAddress leases a receiving address, or shows the next one.
func (n *Node) NewAddress(ctx context.Context, ref string, r api.NewAddress) (api.Address, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Address{}, err
	}
	l, err := node.Do(ctx, a, coordinator.LeaseAddress{Peek: r.Peek, BeyondGap: r.BeyondGap, RequestID: r.RequestID})
	if err != nil {
		return api.Address{}, n.apiError(err)
	}
	return api.Address{Address: l.Address, Index: l.Index}, nil
}

// Coins lists the unspent outputs.
func (n *Node) Coins(_ context.Context, ref string) ([]api.Coin, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, err
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return nil, api.Refuse(refusal.NotActive, "the wallet is not active: "+m.Missing(), "")
	}
	var out []api.Coin
	labels := m.State.LabelReader()
	for _, c := range coordinator.Coins(m.State, m.View, time.Now()) {
		addr, err := m.State.Active().Descriptor.Address(c.Branch, c.Index)
		if err != nil {
			return nil, n.apiError(err)
		}
		x := api.Coin{OutPoint: c.OutPoint.String(), Amount: c.Amount, Address: addr, Confirmations: c.Confirmations, Label: api.Text(labels.OfCoin(m.View, c.ViewOut)), Frozen: frozen(m, c.OutPoint)}
		if len(c.LeasedBy) > 0 {
			id := c.LeasedBy[0].ID().String()
			x.LeasedBy = &id
		}
		out = append(out, x)
	}
	return out, nil
}

func parseOutPoint(s string) (wire.OutPoint, error) {
	op, err := wire.NewOutPointFromString(s)
	if err != nil {
		return wire.OutPoint{}, api.Misuse("bad_outpoint", fmt.Sprintf("%.80q is not an outpoint", s), "it has the form TXID:VOUT")
	}
	return *op, nil
}
