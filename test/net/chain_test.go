package net_test

import (
	"context"
	"io"
	"net"
	"sync"
)

// chainPort is where a node finds the Bitcoin node, in its own namespace.
const chainPort = "127.0.0.1:18443"

// chain brings the Bitcoin node to a site: no packet of that goes over the
// internet of the test.
func (s *site) chain() {
	s.t.Helper()
	l := s.listen(chainPort)
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { join(ctx, c) })
		}
	})
	s.t.Cleanup(func() {
		cancel()
		_ = l.Close()
		all.Wait()
	})
}

// join connects a node with the Bitcoin node until either hangs up.
func join(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	var d net.Dialer
	b, err := d.DialContext(ctx, "tcp", world.Bitcoin.Host)
	if err != nil {
		return
	}
	defer func() { _ = b.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = c.Close(), b.Close() })
	defer stop()
	var all sync.WaitGroup
	for _, x := range [][2]net.Conn{{c, b}, {b, c}} {
		all.Go(func() {
			_, _ = io.Copy(x[0], x[1])
			_, _ = c.Close(), b.Close()
		})
	}
	all.Wait()
}
