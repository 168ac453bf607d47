package p2p

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	xrate "github.com/libp2p/go-libp2p/x/rate"
	"go.uber.org/fx"
)

// Limits of a node. They fit together on every machine, however small: what one
// address or one peer may hold is less than a quarter of what all share
// (TestLimitsFitTogether).
const (
	nodeConns         = 2048 // inbound: handshakes, and then members
	nodeDials         = 512  // outbound
	nodeDialing       = 256  // of them without a proof yet
	nodeConnsOfPeer   = 8    // TCP and QUIC, IPv4 and IPv6, and the ones about to go
	nodeStreams       = 32 << 10
	nodeStreamsOpen   = 8192      // streams whose protocol is not known yet
	nodeStreamsOfPeer = 256       // in one direction
	nodeMemory        = 512 << 20 // at least: the rest is by the machine's memory
	nodeMemoryOpen    = 512 << 20
	nodeMemoryPeer    = 24 << 20

	// Connections of one IP address, whoever is behind them. Cosigners share an
	// office NAT, and each may hold a few for a moment.
	connsPerIP    = 128
	connsPerSec   = 8
	connsPerBurst = 256
)

// nodePlaces are the places for connections that have not proved who they are.
func nodePlaces() placeLimits {
	return placeLimits{
		anybody: roomLimits{places: 768, perAddr: 32, perNetwork: 128},
		known:   roomLimits{places: 256, perAddr: 4, perNetwork: 16},
	}
}

// leaving is room for connections that were sent away and are not gone yet.
const leaving = 128

// nodeLimits are those of the resource manager.
func nodeLimits() rcmgr.PartialLimitConfig {
	services := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&services)
	l := services.AutoScale().ToPartialLimitConfig()
	handshakes := rcmgr.LimitVal(nodePlaces().all() + leaving)
	l.System = streamLimits(nodeStreams, max(nodeMemory, l.System.Memory))
	l.System.Conns, l.System.ConnsInbound, l.System.ConnsOutbound, l.System.FD = nodeConns+nodeDials, nodeConns, nodeDials, nodeConns+nodeDials
	l.Transient = streamLimits(nodeStreamsOpen, max(nodeMemoryOpen, l.Transient.Memory))
	l.Transient.Conns, l.Transient.ConnsInbound = handshakes+nodeDialing, handshakes
	l.Transient.ConnsOutbound, l.Transient.FD = nodeDialing, handshakes+nodeDialing
	l.PeerDefault = streamLimits(nodeStreamsOfPeer, nodeMemoryPeer)
	l.PeerDefault.Conns, l.PeerDefault.ConnsInbound, l.PeerDefault.ConnsOutbound = 2*nodeConnsOfPeer, nodeConnsOfPeer, nodeConnsOfPeer
	l.PeerDefault.FD = 2 * nodeConnsOfPeer
	l.ServiceDefault, l.ProtocolDefault = roomier(l.ServiceDefault, l.ServicePeerDefault), roomier(l.ProtocolDefault, l.ProtocolPeerDefault)
	for name, of := range l.ServicePeer {
		l.Service[name] = roomier(l.Service[name], of)
	}
	for name, of := range l.ProtocolPeer {
		l.Protocol[name] = roomier(l.Protocol[name], of)
	}
	return l
}

// streamLimits allow n streams in each direction.
func streamLimits(n rcmgr.LimitVal, memory rcmgr.LimitVal64) rcmgr.ResourceLimits {
	return rcmgr.ResourceLimits{Streams: 2 * n, StreamsInbound: n, StreamsOutbound: n, Memory: memory}
}

// roomier raises what all share until it is more than four peers may take.
func roomier(all, peer rcmgr.ResourceLimits) rcmgr.ResourceLimits {
	all.Streams = max(all.Streams, 5*peer.Streams)
	all.StreamsInbound = max(all.StreamsInbound, 5*peer.StreamsInbound)
	all.StreamsOutbound = max(all.StreamsOutbound, 5*peer.StreamsOutbound)
	all.Memory = max(all.Memory, 5*peer.Memory)
	return all
}

func newResourceManager(known func(netip.Addr) bool) (*places, error) {
	m, err := newLimiter(nodeLimits().Build(rcmgr.DefaultLimits.AutoScale()), perIP{connsPerIP, connsPerSec, connsPerBurst})
	if err != nil {
		return nil, err
	}
	return newPlaces(m, nodePlaces(), known), nil
}

// perIP is what one IP address may do before anybody is known to be behind it.
type perIP struct{ conns, perSec, burst int }

// An IPv6 customer may have a /48, which may do a little more than a /56.
const perWiderNet = 1.5

func newLimiter(limits rcmgr.ConcreteLimitConfig, ip perIP) (network.ResourceManager, error) {
	loopback := []xrate.PrefixLimit{
		{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
		{Prefix: netip.MustParsePrefix("::1/128")},
	}
	rate := xrate.Limit{RPS: float64(ip.perSec), Burst: ip.burst}
	wider := xrate.Limit{RPS: perWiderNet * rate.RPS, Burst: int(perWiderNet * float64(rate.Burst))}
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: ip.conns}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: ip.conns}, {PrefixLength: 48, ConnCount: int(perWiderNet * float64(ip.conns))}},
		),
		rcmgr.WithConnRateLimiters(&xrate.Limiter{
			NetworkPrefixLimits: loopback,
			SubnetRateLimiter: xrate.SubnetLimiter{
				IPv4SubnetLimits: []xrate.SubnetLimit{{PrefixLength: 32, Limit: rate}},
				IPv6SubnetLimits: []xrate.SubnetLimit{{PrefixLength: 56, Limit: rate}, {PrefixLength: 48, Limit: wider}},
				GracePeriod:      time.Minute,
			},
		}),
		rcmgr.WithMetricsDisabled(),
	)
	if err != nil {
		return nil, fmt.Errorf("make resource manager: %w", err)
	}
	return m, nil
}

// quickHandshakes makes TCP connections that say nothing go sooner than libp2p
// has them go, which is after 15 s.
func quickHandshakes() libp2p.Option {
	return libp2p.WithFxOption(fx.Decorate(fx.Annotate(
		func(_ transport.Upgrader, s []sec.SecureTransport, m []upgrader.StreamMuxer, psk pnet.PSK, rm network.ResourceManager, g connmgr.ConnectionGater) (transport.Upgrader, error) {
			return upgrader.New(s, m, psk, rm, g, upgrader.WithAcceptTimeout(handshakeTime))
		},
		fx.ParamTags(``, `name:"security"`))))
}
