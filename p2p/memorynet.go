package p2p

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/quorate/quorate/journal"
)

var errTaken = errors.New("a node of this identity is on the network")

// MemoryNetwork joins Memory nodes. Links can be cut and healed.
type MemoryNetwork struct {
	mu    sync.Mutex
	nodes map[journal.Author]*Memory
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

// NewMemoryNetwork returns a network without nodes.
func NewMemoryNetwork() *MemoryNetwork {
	return &MemoryNetwork{
		nodes: map[journal.Author]*Memory{},
		cut:   map[link]bool{},
		up:    map[link]bool{},
	}
}

// Cut ends the link between two nodes, and all that goes on over it.
func (w *MemoryNetwork) Cut(a, b journal.Author) {
	w.mu.Lock()
	w.cut[linkOf(a, b)] = true
	w.mu.Unlock()
	w.refresh()
}

// Heal makes a cut link good.
func (w *MemoryNetwork) Heal(a, b journal.Author) {
	w.mu.Lock()
	delete(w.cut, linkOf(a, b))
	w.mu.Unlock()
	w.refresh()
}

func (w *MemoryNetwork) add(m *Memory) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nodes[m.self] != nil {
		return errTaken
	}
	w.nodes[m.self] = m
	return nil
}

func (w *MemoryNetwork) remove(m *Memory) {
	w.mu.Lock()
	if w.nodes[m.self] == m {
		delete(w.nodes, m.self)
	}
	w.mu.Unlock()
	w.refresh()
	m.drop(nil)
}

func (w *MemoryNetwork) node(a journal.Author) *Memory {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[a]
}

func (w *MemoryNetwork) linked(a, b journal.Author) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.cut[linkOf(a, b)]
}

func (w *MemoryNetwork) isConnected(a, b journal.Author) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up[linkOf(a, b)]
}

func (w *MemoryNetwork) connectedTo(a journal.Author) []journal.Author {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[journal.Author]bool{}
	for l := range w.up {
		switch a {
		case l[0]:
			out[l[1]] = true
		case l[1]:
			out[l[0]] = true
		}
	}
	return sortedAuthors(out)
}

// refresh makes connections what they should be: between nodes that have each
// other as members of some group. Who is not a member is noted as pending, as
// the gate does.
func (w *MemoryNetwork) refresh() {
	w.mu.Lock()
	var made, ended []link
	want := map[link]bool{}
	for a, m := range w.nodes {
		for b, n := range w.nodes {
			l := linkOf(a, b)
			if a == b || w.cut[l] || !m.reg.member(b) {
				continue
			}
			if !n.reg.member(a) {
				if id, err := PeerID(a); err == nil {
					n.pending.add(a, id, "memory")
				}
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
	nodes := map[journal.Author]*Memory{}
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
			nodes[a].sync.syncPeer(l[1-i])
		}
	}
}

// drop resets the pipes to one peer, or to all.
func (m *Memory) drop(to *journal.Author) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, a := range m.pipes {
		if to == nil || *to == a {
			_ = p.Conn.Close()
		}
	}
	if to != nil {
		m.seen[*to] = time.Now()
	}
}

// pipe is one end of an in-memory stream.
type pipe struct {
	net.Conn
	owner *Memory
}

// pipe joins this node to another.
func (m *Memory) pipe(n *Memory) (here, there *pipe) {
	a, b := net.Pipe()
	here, there = &pipe{a, m}, &pipe{b, n}
	m.mu.Lock()
	m.pipes[here] = n.self
	m.mu.Unlock()
	n.mu.Lock()
	n.pipes[there] = m.self
	n.mu.Unlock()
	return here, there
}

// Close ends both directions. Nothing is lost: a write returns when it was read.
func (p *pipe) Close() error {
	p.owner.mu.Lock()
	delete(p.owner.pipes, p)
	p.owner.mu.Unlock()
	return p.Conn.Close()
}

// SetDeadline does not fail when the other end is closed: reading tells that.
func (p *pipe) SetDeadline(t time.Time) error {
	_ = p.Conn.SetDeadline(t)
	return nil
}

// CloseWrite does nothing: frames tell their length, and Close follows.
func (p *pipe) CloseWrite() error { return nil }

// Reset ends both directions.
func (p *pipe) Reset() error { return p.Close() }
