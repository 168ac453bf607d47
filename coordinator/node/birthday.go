package node

import (
	"context"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
)

// birthdayOf is where the chain begins to matter for a group.
func (n *Node) birthdayOf(ctx context.Context, g event.Genesis) int32 {
	if g.Descriptor != "" {
		return n.agreed(ctx, g.Birthday)
	}
	return n.birthday(ctx)
}

// tip is the chain's as this node's own backend has checked it, if it is known
// and can be. 0 is not wrong, it only means a long scan.
func (n *Node) tip(ctx context.Context) (height int32, known bool) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	tip, err := n.ports.Chain.Tip(ctx)
	if err != nil || tip.Height > n.highest() {
		return 0, false
	}
	return tip.Height, true
}

// birthday is the height of the chain now, where it is known: the wallet
// cannot have been paid before. Less a day, for a reorg or a late block.
func (n *Node) birthday(ctx context.Context) int32 {
	const day = 144
	tip, _ := n.tip(ctx)
	return max(0, tip-day)
}

// highest is the highest block that there can be by now, by this node's clock:
// also who makes false blocks with little work gets no higher.
func (n *Node) highest() int32 {
	p := n.network.Params()
	if p == nil || p.PoWNoRetargeting {
		return event.MaxBirthday // blocks of regtest come when somebody wants them
	}
	blocks := int64(n.ports.Clock.Now().Sub(p.GenesisBlock.Header.Timestamp) / p.TargetTimePerBlock)
	if p.ReduceMinDifficulty {
		blocks *= 10 // test networks have seen storms of easy blocks
	} else {
		blocks += blocks / 5
	}
	return int32(max(0, min(blocks, event.MaxBirthday)))
}

// agreed is the height that the members of a group agreed on, unless this node's
// own chain shows that there is no such block: then 0.
func (n *Node) agreed(ctx context.Context, told int32) int32 {
	tip, known := n.tip(ctx)
	if told > n.highest() || known && told > tip && n.ports.Chain.Health().Synced {
		return 0
	}
	return told
}

// own replaces the height that one member told by one that this node can stand
// for. Where the chain knows when its blocks were made the stream finds it from
// the date of the group (see Actor.born). Else it is what was told, as far as
// there is such a block: too late a height hides what was paid before.
func (n *Node) own(ctx context.Context, grant port.Grant) port.Grant {
	g, err := event.DecodeGenesis(grant.Genesis)
	if err != nil || grant.Challenge == nil {
		return grant // refused by who takes it
	}
	c := *grant.Challenge
	_, dated := n.ports.Chain.(port.Dated)
	switch tip, known := n.tip(ctx); {
	case g.Descriptor != "":
		c.Birthday = n.agreed(ctx, g.Birthday)
	case dated, !known, c.Birthday < 0, c.Birthday > tip:
		c.Birthday = 0
	}
	grant.Challenge = &c
	return grant
}
