package p2p

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"

	"github.com/quorate/quorate/journal"
)

// lines are the connections of a node, as its protocols see them.
type lines struct{ *Node }

var _ Links = lines{}

// Open starts a sync stream, over a relayed connection if there is no other. It
// never dials.
func (n lines) Open(ctx context.Context, to journal.Author) (Stream, error) {
	id, err := PeerID(to)
	if err != nil {
		return nil, err
	}
	ctx = network.WithNoDial(network.WithAllowLimitedConn(ctx, userAgent), userAgent)
	s, err := n.host.NewStream(ctx, id, SyncProtocol)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Connected returns the members that are connected, relayed ones included.
func (n lines) Connected() []journal.Author {
	var out []journal.Author
	for _, id := range n.host.Network().Peers() {
		if a, err := AuthorOf(id); err == nil && n.talk.Member(a) {
			out = append(out, a)
		}
	}
	return out
}

// Records returns the signed addresses of this node and of the members of a
// group, as far as they are known.
func (n lines) Records(members map[journal.Author]bool) [][]byte {
	var out [][]byte
	if book, ok := peerstore.GetCertifiedAddrBook(n.host.Peerstore()); ok {
		if env := book.GetPeerRecord(n.host.ID()); env != nil {
			if b, err := env.Marshal(); err == nil && len(b) <= maxRecord {
				out = append(out, b)
			}
		}
	}
	for _, m := range sortedAuthors(members) {
		if b := n.dir.record(m); b != nil && m != n.self && len(out) < maxRecords {
			out = append(out, b)
		}
	}
	return out
}

// Heard takes signed addresses of members of a group: whoever knows one member
// finds the others.
func (n lines) Heard(members map[journal.Author]bool, records [][]byte) {
	for _, raw := range records {
		a, news, err := n.dir.vouch(raw, func(a journal.Author) bool { return a != n.self && members[a] })
		if err != nil {
			return // checking signatures costs: one bad one is enough
		}
		if news {
			n.moved(a)
		}
	}
}

// moved takes note of signed addresses of a member that are news.
func (n *Node) moved(a journal.Author) {
	n.redial.nudge(a)
	n.introduce(a)
}

// watch follows connections and what identify tells.
func (n *Node) watch() error {
	n.host.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			n.gate.connected(c)
			n.moves.made(c)
			n.met(c)
		},
		DisconnectedF: func(_ network.Network, c network.Conn) { n.gate.disconnected(c) },
	})
	sub, err := n.host.EventBus().Subscribe([]any{
		new(event.EvtPeerConnectednessChanged),
		new(event.EvtPeerIdentificationCompleted),
	}, eventbus.BufSize(256), eventbus.Name("quorate"))
	if err != nil {
		return fmt.Errorf("subscribe to connection events: %w", err)
	}
	n.wg.Go(func() {
		defer func() { _ = sub.Close() }()
		for {
			select {
			case <-n.ctx.Done():
				return
			case e, ok := <-sub.Out():
				if !ok {
					return
				}
				switch e := e.(type) {
				case event.EvtPeerConnectednessChanged:
					n.connectedness(e.Peer, e.Connectedness)
				case event.EvtPeerIdentificationCompleted:
					n.identified(e)
				}
			}
		}
	})
	return nil
}

// met remembers where a connection comes from, for the times when there are
// too many.
func (n *Node) met(c network.Conn) {
	// The events of a short connection may be left out.
	if a, err := AuthorOf(c.RemotePeer()); err == nil {
		n.redial.saw(a)
	}
	if relayed(c.RemoteMultiaddr()) {
		return
	}
	ip := ipOf(c.RemoteMultiaddr())
	if n.gate.relays[c.RemotePeer()] {
		n.gate.rules.sawRelay(ip)
	}
	if a, err := AuthorOf(c.RemotePeer()); err == nil && n.talk.Member(a) && c.Stat().Direction == network.DirInbound {
		n.dir.came(a, ip)
	}
}

func (n *Node) connectedness(id peer.ID, c network.Connectedness) {
	a, err := AuthorOf(id)
	if err != nil {
		return
	}
	if c == network.NotConnected {
		n.gossip.subs.gone(a)
		n.redial.disconnected(a)
		return
	}
	n.redial.connected(a)
	if n.talk.Member(a) {
		n.talk.SyncPeer(a)
	}
}

// introduce tells the members of every group that one of them is in where it
// is.
func (n *Node) introduce(a journal.Author) {
	for _, g := range n.talk.reg.shared(a) {
		n.talk.sync.introduce(g.id)
	}
}

// identified remembers where a member was reached and what it signed.
func (n *Node) identified(e event.EvtPeerIdentificationCompleted) {
	a, err := AuthorOf(e.Peer)
	if err != nil || !n.talk.Member(a) {
		return
	}
	if e.SignedPeerRecord != nil {
		if raw, err := e.SignedPeerRecord.Marshal(); err == nil && len(raw) <= maxRecord {
			if _, news, _ := n.dir.vouch(raw, func(b journal.Author) bool { return b == a }); news {
				n.moved(a)
			}
		}
	} else if n.dir.say(a, e.ListenAddrs) {
		n.log.Debug("member told its addresses unsigned", "peer", e.Peer)
	}
	if s := e.Conn.Stat(); s.Direction == network.DirOutbound && !s.Limited {
		n.dir.worked(a, e.Conn.RemoteMultiaddr())
	}
}
