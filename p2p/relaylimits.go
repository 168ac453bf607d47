package p2p

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
)

// Limits of a relay. They are fixed, not scaled to the machine: a relay runs on
// the smallest one there is. A group has at most 20 cosigners; each holds a
// circuit to each other, and for a moment two when both dial at once.
const (
	relayReservations = 256
	relayCircuits     = 64 // of one peer
	relayConns        = 512
	relayConnsOfPeer  = 8   // TCP and QUIC, IPv4 and IPv6, and the ones about to go
	relayHandshakes   = 128 // connections whose other end has not proved who it is
	relayStreams      = 8192
	relayStreamsPeer  = 2*relayCircuits + 32 // circuits from it and to it, identify
	relayMemory       = 256 << 20
	relayMemoryPeer   = 24 << 20 // of windows and buffers: a peer that does not read holds up its own circuits
	relayBuffer       = 16 << 10 // two for each circuit
	// Connections from one IP address: an office full of cosigners, and no more,
	// so that one address cannot take all handshakes.
	relayConnsPerIP    = 64
	relayConnsPerSec   = 4
	relayConnsPerBurst = 64
)

// relayResources are the limits of the relay service. What two members say to
// each other has no limit of bytes or time: gossip does not run over a limited
// circuit.
func relayResources() relay.Resources {
	return relay.Resources{
		ReservationTTL:  time.Hour,
		MaxReservations: relayReservations,
		MaxCircuits:     relayCircuits,
		BufferSize:      relayBuffer,
		// Only those who are named reserve, so these are no defence here.
		MaxReservationsPerIP:  relayReservations,
		MaxReservationsPerASN: relayReservations,
	}
}

// newRelayResourceManager limits everything that a peer can make a relay hold.
func newRelayResourceManager() (network.ResourceManager, error) {
	all := rcmgr.ResourceLimits{
		Conns: relayConns, ConnsInbound: relayConns, ConnsOutbound: rcmgr.BlockAllLimit, FD: relayConns,
		Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory,
	}
	before := rcmgr.ResourceLimits{
		Conns: relayHandshakes, ConnsInbound: relayHandshakes, ConnsOutbound: rcmgr.BlockAllLimit, FD: relayHandshakes,
		Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory / 8,
	}
	peer := rcmgr.ResourceLimits{
		Conns: relayConnsOfPeer, ConnsInbound: relayConnsOfPeer, ConnsOutbound: rcmgr.BlockAllLimit, FD: relayConnsOfPeer,
		Streams: relayStreamsPeer, StreamsInbound: relayStreamsPeer, StreamsOutbound: relayStreamsPeer, Memory: relayMemoryPeer,
	}
	service := rcmgr.ResourceLimits{Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory / 2}
	servicePeer := rcmgr.ResourceLimits{
		Streams: relayStreamsPeer, StreamsInbound: relayStreamsPeer, StreamsOutbound: relayStreamsPeer, Memory: relayMemoryPeer,
	}
	limits := rcmgr.PartialLimitConfig{
		System: all, Transient: before, PeerDefault: peer,
		Service:      map[string]rcmgr.ResourceLimits{relay.ServiceName: service},
		ServicePeer:  map[string]rcmgr.ResourceLimits{relay.ServiceName: servicePeer},
		Protocol:     map[protocol.ID]rcmgr.ResourceLimits{proto.ProtoIDv2Hop: service, proto.ProtoIDv2Stop: service},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{proto.ProtoIDv2Hop: servicePeer, proto.ProtoIDv2Stop: servicePeer},
	}
	return newLimiter(limits.Build(rcmgr.DefaultLimits.AutoScale()), perIP{relayConnsPerIP, relayConnsPerSec, relayConnsPerBurst})
}
