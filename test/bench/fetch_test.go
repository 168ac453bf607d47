package bench

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/btcsuite/btcd/peer"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// BenchmarkLargeFetch scans 150 blocks of a btcd that fill a wallet with 3,000
// coins on 600 addresses, with all that a node writes to its disk meanwhile.
// Floors, in the same round, so that a busy machine slows all: the same blocks
// fetched one after the other in the same way and parsed, by nothing of ours;
// and streamed by the same backend, with its checks, to nobody who has a wallet.
func BenchmarkLargeFetch(b *testing.B) {
	c := serve(b)
	run := func(name string, floor func(b *testing.B) func(), open func(b *testing.B) (port.Chain, func())) {
		b.Run(name, func(b *testing.B) {
			fetch := floor(b)
			var fetched, streamed, scanned time.Duration
			for b.Loop() {
				fetched += timed(fetch)
				// Each opens a backend that has cached nothing.
				chain, done := open(b)
				streamed += timed(func() { c.stream(b, chain) })
				done()
				chain, done = open(b)
				scanned += timed(func() { c.scan(b, chain) })
				done()
			}
			for unit, d := range map[string]time.Duration{"floor-ms/block": fetched, "backend-ms/block": streamed, "scan-ms/block": scanned} {
				b.ReportMetric(d.Seconds()*1000/float64(b.N*servedBlocks), unit)
			}
			b.ReportMetric(scanned.Seconds()/fetched.Seconds(), "scan/floor")
			b.ReportMetric(scanned.Seconds()/streamed.Seconds(), "scan/backend")
			b.ReportMetric(float64(c.bytes)/servedBlocks/1000, "kB/block")
			b.ReportMetric(0, "ns/op") // of all three together it would say nothing
		})
	}
	run("core", c.overRPC, func(b *testing.B) (port.Chain, func()) {
		x, err := core.New(core.Config{URL: c.node.URL(), User: c.node.User, Password: c.node.Password, Network: wallet.Regtest})
		if err != nil {
			b.Fatal(err)
		}
		return x, func() { shut(b, x.Close) }
	})
	run("neutrino", c.overP2P, func(b *testing.B) (port.Chain, func()) {
		x, err := neutrino.New(neutrino.Config{Dir: filepath.Join(b.TempDir(), "n"), Network: wallet.Regtest, Peers: []string{c.node.P2P}})
		if err != nil {
			b.Fatal(err)
		}
		c.synced(b, x) // headers are not scanned
		return x, func() { shut(b, x.Close) }
	})
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func shut(b *testing.B, f func() error) {
	b.Helper()
	if err := f(); err != nil {
		b.Fatal(err)
	}
}

// overRPC fetches by JSON-RPC.
func (c *servedChain) overRPC(b *testing.B) func() {
	return func() {
		for i := range c.hashes {
			m, err := c.rpc.GetBlock(&c.hashes[i])
			if err != nil || len(m.Transactions) != servedTxs+1 {
				b.Fatalf("got %v", err)
			}
		}
	}
}

// overP2P fetches from a Bitcoin peer.
func (c *servedChain) overP2P(b *testing.B) func() {
	b.Helper()
	ready, blocks := make(chan struct{}), make(chan *wire.MsgBlock, 1)
	p, err := peer.NewOutboundPeer(&peer.Config{
		UserAgentName: "bench", UserAgentVersion: "1", ChainParams: c.params, ProtocolVersion: wire.AddrV2Version,
		Services: wire.SFNodeWitness, TrickleInterval: time.Second,
		Listeners: peer.MessageListeners{
			OnVerAck: func(*peer.Peer, *wire.MsgVerAck) { close(ready) },
			OnBlock:  func(_ *peer.Peer, m *wire.MsgBlock, _ []byte) { blocks <- m },
		},
	}, c.node.P2P)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := net.Dial("tcp", c.node.P2P)
	if err != nil {
		b.Fatal(err)
	}
	p.AssociateConnection(conn)
	b.Cleanup(func() {
		p.Disconnect()
		p.WaitForDisconnect()
	})
	await(b, ready)
	return func() {
		for i := range c.hashes {
			ask := wire.NewMsgGetData()
			if err := ask.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &c.hashes[i])); err != nil {
				b.Fatal(err)
			}
			p.QueueMessage(ask, nil)
			if m := await(b, blocks); len(m.Transactions) != servedTxs+1 {
				b.Fatalf("%d transactions", len(m.Transactions))
			}
		}
	}
}

func await[T any](b *testing.B, c <-chan T) T {
	b.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	select {
	case v := <-c:
		return v
	case <-timeout.C:
		b.Fatal("nothing came for a minute")
		panic("unreachable")
	}
}

// synced waits until the light client has all headers.
func (c *servedChain) synced(b *testing.B, x *neutrino.Backend) {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		if h := x.Health(); h.Synced && h.Height == c.height {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			b.Fatalf("no headers: %+v", x.Health())
		}
	}
}

// stream takes the same blocks from a backend that knows the addresses from the
// beginning, and does nothing with them.
func (c *servedChain) stream(b *testing.B, chain port.Chain) {
	b.Helper()
	f, err := chain.Follow(b.Context(), nil, c.before, c.scripts)
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, f.Close)
	for n := range f.Notices() {
		if n.Kind == port.Connected && len(n.Txs) != servedTxs+1 {
			b.Fatalf("block %d came with %d transactions", n.Block.Height, len(n.Txs))
		}
		if n.Kind == port.CaughtUp && n.Block.Height == c.height {
			return
		}
	}
	b.Fatal("the stream ended")
}

// scan takes the blocks in as a node does, and stores what it would.
func (c *servedChain) scan(b *testing.B, chain port.Chain) {
	b.Helper()
	s, err := store.Open(b.TempDir(), storeKey, quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, s.Close)
	l := &large{who: c.who}
	c.who.tb = b
	m, _ := l.step(b, c.who.m, coordinator.Born{Height: c.before})
	f, err := chain.Follow(b.Context(), nil, c.before, m.View.Scripts())
	if err != nil {
		b.Fatal(err)
	}
	defer shut(b, f.Close)
	m = l.take(b, m, f, c.height, func(effects []coordinator.Effect) {
		for _, e := range effects {
			if x, ok := e.(coordinator.Persist); ok {
				if err := s.Commit(context.Background(), x.Batch); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	if got := len(coordinator.Coins(m.State, m.View, l.now())); got != servedBlocks*servedCoins || !m.View.Synced() {
		b.Fatalf("%d coins, synced %v", got, m.View.Synced())
	}
}
