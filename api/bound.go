package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// maxConns is how many connections the TCP listener has at once. Those on it
// are of this machine or of one proxy, so addresses tell nothing apart.
const maxConns = 64

// boundedListener accepts connections without end and keeps at most maxConns
// of them. For a new one it closes the oldest that has not shown a token, or
// else one that idles between requests: who has no token keeps nobody out, for
// showing one takes no longer than sending a header. Where all are at work the
// new one is closed.
type boundedListener struct {
	net.Listener
	mu   sync.Mutex
	last uint64
	open map[*boundedConn]bool
}

// boundedConn is a connection that takes one of the places.
type boundedConn struct {
	net.Conn
	l *boundedListener
	// number grows with each connection accepted.
	number uint64
	// proven is set once a request on it had a valid token, idle while it is
	// between requests; l.mu guards both.
	proven, idle bool
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("accept: %w", err)
		}
		if b := l.place(c); b != nil {
			return b, nil
		}
		_ = c.Close() // nobody is there to be told
	}
}

// place gives a connection its place, or returns nil where there is none.
func (l *boundedListener) place(c net.Conn) *boundedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= maxConns {
		out := l.leastWanted()
		if out == nil {
			return nil
		}
		delete(l.open, out)
		_ = out.Conn.Close() // its server finds out by reading
	}
	l.last++
	b := &boundedConn{Conn: c, l: l, number: l.last}
	l.open[b] = true
	return b
}

func (l *boundedListener) leastWanted() *boundedConn {
	var out *boundedConn
	for c := range l.open {
		if c.proven && !c.idle {
			continue
		}
		if out == nil || !c.proven && out.proven || c.proven == out.proven && c.number < out.number {
			out = c
		}
	}
	return out
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	c.l.mu.Lock()
	delete(c.l.open, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// withConn keeps a connection in the context of its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// proven notes that a request had a valid token.
func proven(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*boundedConn); ok {
		c.l.mu.Lock()
		c.proven = true
		c.l.mu.Unlock()
	}
}

// connState notes which connections idle.
func connState(conn net.Conn, s http.ConnState) {
	if c, ok := conn.(*boundedConn); ok {
		c.l.mu.Lock()
		c.idle = s == http.StateIdle
		c.l.mu.Unlock()
	}
}
