package memnet

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"github.com/quorate/quorate/journal"
)

var errTaken = errors.New("a node of this identity is on the network")

// Network joins nodes. Links can be cut and healed.
type Network struct {
	mu    sync.Mutex
	nodes map[journal.Author]*Node
	cut   map[link]bool
	up    map[link]bool
}

// link is a pair of nodes, the smaller first.
type link [2]journal.Author

func linkOf(a, b journal.Author) link {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return link{a, b}
}

// NewNetwork returns a network without nodes.
func NewNetwork() *Network {
	return &Network{
		nodes: map[journal.Author]*Node{},
		cut:   map[link]bool{},
		up:    map[link]bool{},
	}
}

// Cut ends the link between two nodes, and all that goes on over it.
func (w *Network) Cut(a, b journal.Author) {
	w.mu.Lock()
	w.cut[linkOf(a, b)] = true
	w.mu.Unlock()
	w.refresh()
}

// Heal makes a cut link good.
func (w *Network) Heal(a, b journal.Author) {
	w.mu.Lock()
	delete(w.cut, linkOf(a, b))
	w.mu.Unlock()
	w.refresh()
}

func (w *Network) add(m *Node) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nodes[m.self] != nil {
		return errTaken
	}
	w.nodes[m.self] = m
	return nil
}

func (w *Network) remove(m *Node) {
	w.mu.Lock()
	if w.nodes[m.self] == m {
		delete(w.nodes, m.self)
	}
	w.mu.Unlock()
	w.refresh()
	m.drop(nil)
}

func (w *Network) node(a journal.Author) *Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[a]
}

func (w *Network) linked(a, b journal.Author) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.cut[linkOf(a, b)]
}

func (w *Network) isConnected(a, b journal.Author) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up[linkOf(a, b)]
}

func (w *Network) connectedTo(a journal.Author) []journal.Author {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []journal.Author
	for l := range w.up {
		switch a {
		case l[0]:
			out = append(out, l[1])
		case l[1]:
			out = append(out, l[0])
		}
	}
	slices.SortFunc(out, func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// refresh makes connections what they should be: between nodes that have each
// other as members of some group. Who is not a member is noted as pending, as
// the gate does.
func (w *Network) refresh() {
	w.mu.Lock()
	var made, ended []link
	want := map[link]bool{}
	for a, m := range w.nodes {
		for b, n := range w.nodes {
			l := linkOf(a, b)
			if a == b || w.cut[l] || !m.talk.Member(b) {
				continue
			}
			if !n.talk.Member(a) {
				n.refused(a)
				continue
			}
			want[l] = true
		}
	}
	for l := range want {
		if !w.up[l] {
			made = append(made, l)
		}
	}
	for l := range w.up {
		if !want[l] {
			ended = append(ended, l)
		}
	}
	w.up = want
	nodes := map[journal.Author]*Node{}
	for a, m := range w.nodes {
		nodes[a] = m
	}
	w.mu.Unlock()

	for _, l := range ended {
		for i, a := range l {
			if m := nodes[a]; m != nil {
				m.drop(&l[1-i])
			}
		}
	}
	for _, l := range made {
		for i, a := range l {
			nodes[a].talk.SyncPeer(l[1-i])
		}
	}
}
