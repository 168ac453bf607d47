package p2p

import (
	"fmt"

	"github.com/quorate/quorate/journal"
)

// AddAddress makes the address of a member known, given as a multiaddr that
// ends in /p2p/<peer ID>, and dials it soon. It returns the author; the gate
// still lets in nobody who is no member.
func (n *Node) AddAddress(addr string) (journal.Author, error) {
	infos, err := peerAddrs([]string{addr})
	if err != nil || len(infos) != 1 || len(infos[0].Addrs) == 0 {
		return journal.Author{}, fmt.Errorf("read address %.200q: it must be a multiaddr that ends in /p2p/ and a peer id", addr)
	}
	a, err := AuthorOf(infos[0].ID)
	if err != nil {
		return journal.Author{}, fmt.Errorf("read address: %w", err)
	}
	n.dir.fix(a, infos[0].Addrs)
	n.redial.soon(a)
	return a, nil
}
