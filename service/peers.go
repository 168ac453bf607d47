package service

import (
	"context"
	"errors"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

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
				if c, ok := m.Member(p.Peer); ok && x.Member == nil {
					who := person(c)
					x.Member = &who
				}
				for rule, count := range m.Faults()[p.Peer] {
					x.Rejects[rule] += count
				}
			})
		}
		x.LastSeen = api.Moment(p.LastSeen)
		out = append(out, x)
	}
	return out
}

// AddPeer makes an address of a member known, and dials it.
func (n *Node) AddPeer(_ context.Context, r api.AddPeer) (api.Peer, error) {
	a, err := n.net.AddAddress(r.Multiaddr)
	if err != nil && !errors.Is(err, port.ErrNotMember) {
		return api.Peer{}, api.Misuse("bad_multiaddr", "add peer: "+err.Error(), "give a multiaddr that ends in /p2p/ and a peer id")
	}
	id := PeerID(a)
	for _, p := range n.peers(false) {
		if p.PeerID == id {
			return p, nil
		}
	}
	return api.Peer{}, api.Refuse("not_a_member", "add peer: "+id+" is not a member of a wallet of this node", "a member joins with an invite")
}

// inviteAddresses are those of this node without its peer id, which an invite
// carries as the founder.
func (n *Node) inviteAddresses() []string {
	var out []string
	for _, a := range n.net.Addresses() {
		bare, _, _ := strings.Cut(a, "/p2p/"+n.PeerID())
		out = append(out, bare)
	}
	return out
}
