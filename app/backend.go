package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
)

var _ api.Backend = (*Node)(nil)

// Status says what the node is and how it is.
func (n *Node) Status(ctx context.Context) (api.Status, error) {
	h := n.parts.Chain.Health()
	s := api.Status{
		Name: n.parts.Name, PeerID: peerID(n.net.Author()), Addresses: n.net.Addresses(),
		Network: string(n.parts.Network), Version: n.parts.Version,
		Chain: chainStatus(h),
	}
	if h.Problem == "" {
		tipCtx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if tip, err := n.parts.Chain.Tip(tipCtx); err == nil {
			s.Chain.Tip = tip.Hash.String()
		}
	}
	for _, a := range n.co.Wallets() {
		s.Wallets = append(s.Wallets, summary(a))
		// Not before each wallet has taken the blocks in: until then it neither
		// proposes nor signs.
		m := a.Machine()
		s.Chain.Synced = s.Chain.Synced && (m.State.Active() == nil || m.View.Synced())
	}
	peers, err := n.Peers(ctx)
	s.Peers = peers
	return s, err
}

// Peers lists the members of this node's wallets.
func (n *Node) Peers(context.Context) ([]api.Peer, error) { return n.peers(false), nil }

// PendingPeers lists strangers who were refused.
func (n *Node) PendingPeers(context.Context) ([]api.Peer, error) { return n.peers(true), nil }

func (n *Node) peers(pending bool) []api.Peer {
	var out []api.Peer
	for _, p := range n.net.Peers() {
		if p.Pending != pending {
			continue
		}
		x := api.Peer{PeerID: p.PeerID, Addresses: p.Addresses, Connected: p.Connected, Relayed: p.Relayed, Rejects: map[string]uint64{}}
		for rule, count := range p.Rejects {
			x.Rejects[rule] += count
		}
		for _, a := range n.co.Wallets() {
			a.Read(func(m *coordinator.Machine) {
				if x.Name == "" {
					x.Name = m.MemberName(p.Peer)
				}
				for rule, count := range m.Faults()[p.Peer] {
					x.Rejects[rule] += count
				}
			})
		}
		if !p.LastSeen.IsZero() {
			t := api.Time(p.LastSeen)
			x.LastSeen = &t
		}
		out = append(out, x)
	}
	return out
}

// AddPeer makes an address of a member known, and dials it.
func (n *Node) AddPeer(_ context.Context, r api.AddPeer) (api.Peer, error) {
	a, err := n.net.AddAddress(r.Multiaddr)
	if err != nil {
		return api.Peer{}, api.Misuse("bad_multiaddr", "add peer: "+err.Error(), "give a multiaddr that ends in /p2p/ and a peer id")
	}
	id := peerID(a)
	for _, p := range n.peers(false) {
		if p.PeerID == id {
			return p, nil
		}
	}
	return api.Peer{}, api.Refuse("not_a_member", "add peer: "+id+" is not a member of a wallet of this node", "a member joins with an invite")
}

// Subscribe streams everything that changes.
func (n *Node) Subscribe(ctx context.Context) (<-chan api.Event, error) {
	c, cancel := n.hub.subscribe()
	context.AfterFunc(ctx, cancel)
	return c, nil
}

// actor finds a wallet by id, unique prefix, or name.
func (n *Node) actor(ref string) (*coordinator.Actor, error) {
	var ids []string
	byID := map[string]*coordinator.Actor{}
	var named []*coordinator.Actor
	for _, a := range n.co.Wallets() {
		id := a.Group().String()
		ids = append(ids, id)
		byID[id] = a
		if a.Machine().Name() == ref {
			named = append(named, a)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	if len(named) > 1 {
		return nil, api.Misuse("ambiguous_wallet", "several wallets are named "+ref, "name it by its id")
	}
	if len(ref) < api.MinRead || strings.Trim(ref, "0123456789abcdef") != "" {
		return nil, api.Missing("unknown_wallet", "wallet "+ref+" is not known to this node", "`quorate wallet list` lists them")
	}
	id, err := api.Resolve("wallet", ref, ids)
	if err != nil {
		return nil, err
	}
	return byID[id], nil
}

// failedState is of a wallet that this program fails to read.
const failedState = "failed"

func summary(a *coordinator.Actor) api.WalletSummary {
	out := api.WalletSummary{Wallet: a.Group().String(), State: failedState}
	a.Read(func(m *coordinator.Machine) { out = summaryOf(a, m) })
	return out
}

func summaryOf(a *coordinator.Actor, m *coordinator.Machine) api.WalletSummary {
	return api.WalletSummary{Wallet: a.Group().String(), Name: m.Name(), State: m.Phase(), AwaitingProof: m.AwaitsProof(), AwaitingHosted: m.AwaitingHosted(), Alarms: alarms(m), Restored: restored(m)}
}

func restored(m *coordinator.Machine) *api.Restored {
	r := m.Restored()
	if r == nil {
		return nil
	}
	out := &api.Restored{Since: api.Time(r.At), Writes: r.Writes}
	for _, c := range r.Unsynced {
		name := c.Name
		if name == "" {
			name = peerID(c.Identity)
		}
		out.Unsynced = append(out.Unsynced, name)
	}
	if len(out.Unsynced) == 0 && r.Unread > 0 {
		out.Unsynced = append(out.Unsynced, fmt.Sprintf("those who can open %d entries that it holds", r.Unread))
	}
	return out
}

// peerID is the libp2p form of an identity.
func peerID(a journal.Author) string {
	id, err := p2p.PeerID(a)
	if err != nil {
		return ""
	}
	return id.String()
}

// inviteAddresses are those of this node without its peer id, which an invite
// carries as the founder.
func (n *Node) inviteAddresses() []string {
	var out []string
	for _, a := range n.net.Addresses() {
		bare, _, _ := strings.Cut(a, "/p2p/"+peerID(n.net.Author()))
		out = append(out, bare)
	}
	return out
}
