package p2p

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// AddAddress makes the address of a member known, given as a multiaddr that
// ends in /p2p/<peer ID>, and dials it soon. It returns the author. Of who is in
// no group it keeps nothing, and returns the author with port.ErrNotMember.
func (n *Node) AddAddress(addr string) (journal.Author, error) {
	infos, err := peerAddrs([]string{addr})
	if err != nil || len(infos) != 1 || len(infos[0].Addrs) == 0 {
		return journal.Author{}, fmt.Errorf("read address %.200q: it must be a multiaddr that ends in /p2p/ and a peer id", addr)
	}
	a, err := AuthorOf(infos[0].ID)
	if err != nil {
		return journal.Author{}, fmt.Errorf("read address: %w", err)
	}
	// With what changes membership: who leaves meanwhile leaves no address behind.
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.talk.Member(a) {
		return a, fmt.Errorf("add address: %w", port.ErrNotMember)
	}
	n.dir.fix(a, infos[0].Addrs)
	n.redial.soon(a)
	return a, nil
}

// SaveAddresses has the book hold at once where members were reached, which else
// takes it a moment: a backup is made of what is stored.
func (n *Node) SaveAddresses() { n.dir.flush() }
