package memnet

import (
	"net"
	"time"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
)

// drop resets the pipes to one peer, or to all.
func (m *Node) drop(to *journal.Author) {
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
	owner *Node
}

var _ p2p.Stream = (*pipe)(nil)

// pipe joins this node to another.
func (m *Node) pipe(n *Node) (here, there *pipe) {
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
