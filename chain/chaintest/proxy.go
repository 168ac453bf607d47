package chaintest

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Fault is what a Proxy does to what goes through it.
type Fault uint8

// The faults.
const (
	// Pass is no fault.
	Pass Fault = iota
	// Hang accepts connections and lets nothing through, until it ends.
	Hang
	// Cut closes all connections, and new ones at once.
	Cut
	// Garbage replaces every byte that the server sends.
	Garbage
	// Alter replaces some hex digits that the server sends by others: answers in
	// text stay well formed and become false.
	Alter
)

// alterOne in so many hex digits is replaced by Alter.
const alterOne = 50

// Proxy stands between a backend and its node and misbehaves as it is told.
type Proxy struct {
	// Addr is host:port to connect to instead of the node's.
	Addr string

	target string
	listen net.Listener
	all    sync.WaitGroup

	mu     sync.Mutex
	turn   *sync.Cond // the fault changed, or the proxy is closed
	fault  Fault
	closed bool
	conns  map[net.Conn]struct{}
}

// NewProxy listens for connections to a host:port, until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, listen: l, conns: map[net.Conn]struct{}{}}
	p.turn = sync.NewCond(&p.mu)
	p.all.Go(p.serve)
	t.Cleanup(p.close)
	return p
}

// Set begins a fault, or ends it with Pass. Connections that were given false
// bytes end with the fault.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f == Cut || p.fault == Garbage || p.fault == Alter {
		for c := range p.conns {
			_ = c.Close()
		}
	}
	p.fault = f
	p.turn.Broadcast()
}

func (p *Proxy) close() {
	_ = p.listen.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.turn.Broadcast()
	p.mu.Unlock()
	p.all.Wait()
}

func (p *Proxy) serve() {
	for {
		c, err := p.listen.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.join(c) })
	}
}

// join connects a client with the node until either hangs up.
func (p *Proxy) join(client net.Conn) {
	defer p.drop(client)
	if !p.keep(client) || p.gate() == Cut {
		return
	}
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.keep(server) {
		return
	}
	p.all.Go(func() { p.copy(server, client, false) })
	p.copy(client, server, true)
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = struct{}{}
	return !p.closed
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// gate waits while nothing gets through, and returns the fault after that.
func (p *Proxy) gate() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.fault == Hang && !p.closed {
		p.turn.Wait()
	}
	if p.closed {
		return Cut
	}
	return p.fault
}

func (p *Proxy) copy(to, from net.Conn, answers bool) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		fault := p.gate()
		if fault == Cut || n == 0 && err != nil {
			return
		}
		if answers {
			spoil(fault, buf[:n])
		}
		if _, wrong := to.Write(buf[:n]); wrong != nil || err != nil {
			return
		}
	}
}

// spoil changes bytes in place.
func spoil(f Fault, b []byte) {
	const digits = "0123456789abcdef"
	for i, c := range b {
		switch {
		case f == Garbage:
			b[i] = byte(rand.Uint32())
		case f == Alter && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f') && rand.IntN(alterOne) == 0:
			b[i] = digits[rand.IntN(len(digits))]
		}
	}
}
