package p2p

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	madns "github.com/multiformats/go-multiaddr-dns"
)

// userAgent is all that identify tells of the software.
const userAgent = "quorate"

// relayRetry is how often a relay that is away is looked for. Dialing it has a
// backoff of its own beyond that, up to five minutes.
const relayRetry = 5 * time.Second

// newHost makes the libp2p host: QUIC and TCP, Noise and TLS, no private
// network (it would disable QUIC), no AutoNAT (its dial-back comes from a fresh
// peer ID, which the gate refuses), no ping, no metrics registry.
func newHost(cfg Config, g *gate, limits network.ResourceManager, relays []peer.AddrInfo, external []ma.Multiaddr) (host.Host, error) {
	key, err := hostKey(cfg.Identity)
	if err != nil {
		_ = limits.Close()
		return nil, err
	}
	conns, err := connmgr.NewConnManager(96, 192, connmgr.WithGracePeriod(30*time.Second))
	if err != nil {
		_ = limits.Close()
		return nil, fmt.Errorf("make connection manager: %w", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.UserAgent(userAgent),
		libp2p.ProtocolVersion(userAgent + "/1"),
		libp2p.Ping(false),
		libp2p.DisableMetrics(),
		libp2p.ResourceManager(limits),
		quickHandshakes(),
		libp2p.MultiaddrResolver(resolver{swarm.ResolverFromMaDNS{Resolver: madns.DefaultResolver}, g.rules}),
		libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(g),
		libp2p.EnableRelay(),
		libp2p.EnableHolePunching(),
		libp2p.NoListenAddrs, // the node listens on each address by itself
	}
	for _, r := range relays {
		external = append(external, circuits(r)...)
	}
	if len(external) > 0 {
		opts = append(opts, libp2p.AddrsFactory(func(own []ma.Multiaddr) []ma.Multiaddr {
			return ma.Unique(append(append([]ma.Multiaddr{}, external...), own...))
		}))
	}
	// A fixed reachability turns AutoNAT's client off. Private makes the host
	// reserve slots at its relays, which it needs to be found behind a NAT.
	if len(relays) > 0 {
		opts = append(opts,
			libp2p.ForceReachabilityPrivate(),
			libp2p.EnableAutoRelayWithStaticRelays(relays, autorelay.WithBootDelay(0),
				autorelay.WithMinInterval(relayRetry), autorelay.WithBackoff(relayRetry)))
	} else {
		// Observed addresses serve hole punching, which needs a relay.
		opts = append(opts, libp2p.ForceReachabilityPublic(), libp2p.DisableIdentifyAddressDiscovery())
	}
	h, err := libp2p.New(append(opts, cfg.ExtraOptions...)...)
	if err != nil {
		// An option that fails leaves these to us; closing twice is harmless.
		_ = conns.Close()
		_ = limits.Close()
		return nil, fmt.Errorf("start libp2p host: %w", err)
	}
	return h, nil
}

// circuits are the addresses of this host at a relay. Autorelay tells others
// only those at relays with public addresses; an office may have its own.
func circuits(r peer.AddrInfo) []ma.Multiaddr {
	suffix, err := ma.NewMultiaddr("/p2p/" + r.ID.String() + "/p2p-circuit")
	if err != nil {
		return nil
	}
	var out []ma.Multiaddr
	for _, a := range r.Addrs {
		out = append(out, a.Encapsulate(suffix))
	}
	return out
}
