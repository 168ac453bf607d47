package p2p

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Join dials the founder of an invite, presents it and returns the grant. The
// connection ends with it; it is made anew after Attach.
func (n *Node) Join(ctx context.Context, inv port.Invite, claim *port.SuccessionClaim) (port.Grant, error) {
	var none port.Grant
	id, err := PeerID(inv.Founder)
	if err != nil {
		return none, fmt.Errorf("join: %w", err)
	}
	if inv.Founder == n.self {
		return none, fmt.Errorf("join: %w", port.ErrInviteUnknown)
	}
	addrs := parseAddrs(inv.Addresses)
	if len(addrs) == 0 {
		return none, fmt.Errorf("join: invite without a usable address: %w", port.ErrFounderAway)
	}
	reached, done := n.gate.approach(id)
	defer done()
	defer n.gate.rules.invite(id, addrs)()
	defer func() {
		if !n.talk.Member(inv.Founder) {
			_ = n.host.Network().ClosePeer(id)
		}
	}()
	noAnswer := func(err error) error {
		if reached() {
			return fmt.Errorf("join: %w: %w", port.ErrNoOpenInvite, err)
		}
		return fmt.Errorf("join: %w: %w", port.ErrFounderAway, err)
	}
	if err := dialPeer(ctx, n.host, peer.AddrInfo{ID: id, Addrs: addrs}); err != nil {
		return none, noAnswer(err)
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	s, err := n.host.NewStream(network.WithAllowLimitedConn(ctx, userAgent), id, JoinProtocol)
	if err != nil {
		return none, noAnswer(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	grant, err := n.talk.Join(s, inv, claim)
	if err != nil {
		_ = s.Reset()
		var reset *network.StreamError
		var closed *network.ConnError
		if errors.As(err, &reset) || errors.As(err, &closed) {
			return none, noAnswer(err)
		}
		return none, fmt.Errorf("join: %w", err)
	}
	n.dir.fix(inv.Founder, addrs)
	_ = s.Close()
	return grant, nil
}

// onJoin serves a stranger that presents an invite, and disconnects it. Where
// it is reached is kept: if it was admitted, it will be a member soon.
func (n *Node) onJoin(s network.Stream) {
	id := s.Conn().RemotePeer()
	from, err := AuthorOf(id)
	if err != nil {
		_ = s.Reset()
		return
	}
	if !n.gate.joinBegins(id) {
		_ = s.Reset()
		return
	}
	defer n.gate.joinEnds(id)
	n.talk.Admit(n.ctx, s, from)
}

// remember keeps what the peerstore still knows of a new member: where it was
// when it came to join.
func (n *Node) remember(a journal.Author, id peer.ID) {
	if len(n.dir.of(a)) == 0 {
		n.dir.say(a, n.host.Peerstore().Addrs(id))
	}
}
