package service

import (
	"context"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Presence says which cosigners of a wallet were seen, and whether enough can sign.
func (n *Node) Presence(_ context.Context, ref string) (api.Presence, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Presence{}, err
	}
	m, now := a.Machine(), time.Now()
	if m.State.Active() == nil {
		return api.Presence{}, api.Refuse(refusal.NotActive, "the wallet is not active: "+m.Missing(), "")
	}
	peers := map[journal.Author]port.PeerStatus{}
	for _, p := range n.net.Peers() {
		peers[p.Peer] = p
	}
	all, k := m.Presence(now), m.State.Genesis().Threshold
	out := api.Presence{
		Wallet: a.Group().String(), WalletName: m.Name(), Threshold: k, Margin: coordinator.Margin(all, k, now),
		SeenFor: int(coordinator.SeenFor / (24 * time.Hour)),
	}
	due := m.Overdue(now)
	for _, x := range all {
		c := api.CosignerPresence{
			Cosigner: person(x.Member), Own: x.Member.Identity == m.State.Me(), LastSigned: api.Moment(x.Signed), KeyProven: api.Moment(x.Proven), Counts: x.Seen(now),
			LastPing: api.Moment(x.Answered), Due: slices.ContainsFunc(due, func(d group.Member) bool { return d.Index == x.Member.Index }),
		}
		if !x.Answered.IsZero() {
			by := personOf(m, x.Asker)
			c.AskedBy = &by
		}
		switch {
		case x.Member.Hosted():
			host := personOf(m, x.Member.Host)
			c.Host = &host
		case !c.Own:
			p, holds := peers[x.Member.Identity], m.Holds(x.Member.Identity)
			c.Connected, c.LastSeen, c.Holds = p.Connected, api.Moment(p.LastSeen), &holds
		}
		out.Members = append(out.Members, c)
	}
	return out, nil
}
