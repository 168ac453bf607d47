package service

import (
	"context"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
)

// RescanWallet looks at the chain again, from a block on.
func (n *Node) RescanWallet(ctx context.Context, ref string, r api.RescanWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if r.From > 0 {
		tip, err := n.chainTip(ctx)
		if err != nil {
			return api.WalletSummary{}, api.Refuse(refusal.ChainBehind, "the chain's height is not known now: "+err.Error(), "wait until `status` shows it, or give 0")
		}
		if r.From > tip {
			return api.WalletSummary{}, api.Misuse(refusal.BadHeight, fmt.Sprintf("there is no block %d: this node's chain ends with %d", r.From, tip), "give a lower height")
		}
	}
	if _, err := node.Do(ctx, a, coordinator.RescanFrom{Height: r.From}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// chainTip is the height of the chain as this node's own backend sees it.
func (n *Node) chainTip(ctx context.Context) (int32, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tip, err := n.parts.Chain.Tip(ctx)
	return tip.Height, err
}
