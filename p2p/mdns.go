package p2p

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// mdnsName is the service looked for in the local network. It tells that a
// node of this kind is there, which is why it is opt-in.
const mdnsName = "_quorate._udp"

// found takes peers seen in the local network.
type found struct{ n *Node }

// HandlePeerFound notes where a member is; others are of no interest. Nobody
// signed it, so it takes the place of nothing.
func (f found) HandlePeerFound(p peer.AddrInfo) {
	a, err := AuthorOf(p.ID)
	if err != nil || !f.n.talk.Member(a) {
		return
	}
	if f.n.dir.show(a, p.Addrs) {
		f.n.redial.nudge(a)
	}
}

func (n *Node) startMDNS() error {
	s := mdns.NewMdnsService(n.host, mdnsName, found{n})
	if err := s.Start(); err != nil {
		return fmt.Errorf("start mDNS: %w", err)
	}
	n.mdns = s
	return nil
}
