package api

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// Of the connections that showed no token the oldest gives way, of the others
// one that idles, and none that is at work.
func TestWhichConnectionGivesWay(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &boundedListener{Listener: inner, open: map[*boundedConn]bool{}}
	t.Cleanup(func() { _ = l.Close() })
	var clients []net.Conn
	var taken []*boundedConn
	dial := func() {
		t.Helper()
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		clients = append(clients, c)
	}
	accept := func() {
		t.Helper()
		dial()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		taken = append(taken, c.(*boundedConn)) //nolint:errcheck // of this type by construction
	}
	for range 200 {
		accept()
	}
	if len(l.open) != maxConns {
		t.Fatalf("%d connections are open", len(l.open))
	}
	closed(t, clients[:200-maxConns])
	for _, c := range taken[200-maxConns:] {
		c.proven = true
	}
	idle := 200 - maxConns + 7
	taken[idle].idle = true
	accept() // in the place of the one that idles
	closed(t, clients[idle:idle+1])
	accept() // in the place of the one before, which showed nothing
	closed(t, clients[200:201])
	taken[201].proven = true
	dial() // there is no place
	go func() { _, _ = l.Accept() }()
	closed(t, clients[202:203])
	if len(l.open) != maxConns {
		t.Errorf("%d connections are open", len(l.open))
	}
	// One that ends makes room.
	_ = taken[201].Close()
	if len(l.open) != maxConns-1 {
		t.Errorf("%d connections are open", len(l.open))
	}
}

// closed waits until the other side has closed connections.
func closed(t *testing.T, conns []net.Conn) {
	t.Helper()
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is open", i)
		}
	}
}
