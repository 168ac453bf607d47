package p2p

import (
	"net/netip"
	"time"

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
	relayCircuits     = 64   // of one peer
	relayConns        = 1024 // inbound: handshakes, and then those who are named
	relayConnsOfPeer  = 8    // TCP and QUIC, IPv4 and IPv6, and the ones about to go
	relayStreams      = 8192
	relayStreamsPeer  = 2*relayCircuits + 32 // circuits from it and to it, identify
	relayMemory       = 256 << 20
	relayMemoryPeer   = 24 << 20 // of windows and buffers: a peer that does not read holds up its own circuits
	relayBuffer       = 16 << 10 // two for each circuit
	// Connections from one IP address: an office full of cosigners, and no more.
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

// relayPlaces are the places for connections whose other end has not proved who
// it is.
func relayPlaces() placeLimits {
	return placeLimits{
		anybody: roomLimits{places: 384, perAddr: 16, perNetwork: 64},
		known:   roomLimits{places: 128, perAddr: 4, perNetwork: 16},
	}
}

// relayLimits limit everything that a peer can make a relay hold.
func relayLimits() rcmgr.PartialLimitConfig {
	handshakes := rcmgr.LimitVal(relayPlaces().all() + leaving)
	all := rcmgr.ResourceLimits{
		Conns: relayConns, ConnsInbound: relayConns, ConnsOutbound: rcmgr.BlockAllLimit, FD: relayConns,
		Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory,
	}
	before := rcmgr.ResourceLimits{
		Conns: handshakes, ConnsInbound: handshakes, ConnsOutbound: rcmgr.BlockAllLimit, FD: handshakes,
		Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory / 2,
	}
	peer := rcmgr.ResourceLimits{
		Conns: relayConnsOfPeer, ConnsInbound: relayConnsOfPeer, ConnsOutbound: rcmgr.BlockAllLimit, FD: relayConnsOfPeer,
		Streams: relayStreamsPeer, StreamsInbound: relayStreamsPeer, StreamsOutbound: relayStreamsPeer, Memory: relayMemoryPeer,
	}
	service := rcmgr.ResourceLimits{Streams: relayStreams, StreamsInbound: relayStreams, StreamsOutbound: relayStreams, Memory: relayMemory / 2}
	servicePeer := rcmgr.ResourceLimits{
		Streams: relayStreamsPeer, StreamsInbound: relayStreamsPeer, StreamsOutbound: relayStreamsPeer, Memory: relayMemoryPeer,
	}
	return rcmgr.PartialLimitConfig{
		System: all, Transient: before, PeerDefault: peer,
		Service:      map[string]rcmgr.ResourceLimits{relay.ServiceName: service},
		ServicePeer:  map[string]rcmgr.ResourceLimits{relay.ServiceName: servicePeer},
		Protocol:     map[protocol.ID]rcmgr.ResourceLimits{proto.ProtoIDv2Hop: service, proto.ProtoIDv2Stop: service},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{proto.ProtoIDv2Hop: servicePeer, proto.ProtoIDv2Stop: servicePeer},
	}
}

func newRelayResourceManager(known func(netip.Addr) bool) (*places, error) {
	m, err := newLimiter(relayLimits().Build(rcmgr.DefaultLimits.AutoScale()), perIP{relayConnsPerIP, relayConnsPerSec, relayConnsPerBurst})
	if err != nil {
		return nil, err
	}
	return newPlaces(m, relayPlaces(), known), nil
}
