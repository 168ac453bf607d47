package p2p

import (
	"bytes"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/port"
)

// Peers returns what is known of every member, by author, and then of pending
// strangers, the latest first.
func (n *Node) Peers() []port.PeerStatus {
	var out []port.PeerStatus
	for _, a := range n.talk.Members() {
		id, err := PeerID(a)
		if err != nil {
			continue
		}
		s := port.PeerStatus{
			Peer: a, PeerID: id.String(),
			LastSeen: n.redial.seen(a),
			Rejects:  n.talk.Rejects(a),
		}
		for _, addr := range n.dir.of(a) {
			s.Addresses = append(s.Addresses, addr.String())
		}
		conns := n.host.Network().ConnsToPeer(id)
		if s.Connected = len(conns) > 0; s.Connected {
			s.LastSeen = time.Now()
		}
		s.Relayed = s.Connected
		for _, c := range conns {
			if !relayed(c.RemoteMultiaddr()) {
				s.Relayed = false
				s.Here = s.Here || n.rules.isHere(ipOf(c.RemoteMultiaddr()))
			}
		}
		out = append(out, s)
	}
	return append(out, sortPending(n.gate.pending.list())...)
}

// Handshakes returns what connections do that have not proved who they are.
func (n *Node) Handshakes() Handshakes { return n.door.handshakes() }

func sortPending(p []port.PeerStatus) []port.PeerStatus {
	slices.SortFunc(p, func(a, b port.PeerStatus) int {
		if c := b.LastSeen.Compare(a.LastSeen); c != 0 {
			return c
		}
		return bytes.Compare(a.Peer[:], b.Peer[:])
	})
	return p
}
