package p2p

import (
	"net/netip"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/quorate/quorate/journal"
)

// MessageID is the message ID function, for hostile peers.
func MessageID(m *pb.Message) string { return messageID(m) }

// TopicPeers returns who pubsub sends messages of a topic to.
func (n *Node) TopicPeers(topic string) []peer.ID { return n.gossip.ps.ListPeers(topic) }

// Protocols returns what the host answers to.
func (n *Node) Protocols() []protocol.ID { return n.host.Mux().Protocols() }

// Host returns the libp2p host.
func (n *Node) Host() host.Host { return n.host }

// Record returns the signed addresses known of a member.
func (n *Node) Record(a journal.Author) []byte { return n.dir.record(a) }

// SetSource sets from which address the host reaches all others.
func (n *Node) SetSource(source func() (netip.Addr, error)) {
	n.moves.mu.Lock()
	defer n.moves.mu.Unlock()
	n.moves.source = func(netip.AddrPort) (netip.Addr, error) { return source() }
	clear(n.moves.from)
}

// Reconnect looks whether the host has moved.
func (n *Node) Reconnect() { n.reconnect() }
