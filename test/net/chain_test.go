package net_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/quorate/quorate/wallet"
)

// join connects a node with the Bitcoin node until either hangs up.
func join(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	var d net.Dialer
	b, err := d.DialContext(ctx, "tcp", world.bitcoin.Host)
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

func mine(t testing.TB, blocks int) {
	t.Helper()
	if _, err := world.bitcoin.Mine(blocks); err != nil {
		t.Fatal(err)
	}
}

// outside is an address that belongs to none of the wallets. Each is
// another one: a second payment to one is asked about.
func outside(t testing.TB) string {
	t.Helper()
	var script [32]byte
	_, _ = rand.Read(script[:]) // it never fails
	a, err := wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
