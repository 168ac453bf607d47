package p2p

import (
	"sync/atomic"
	"time"

	pb "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
)

// RelayStats is what a relay does now, and did since it was started.
type RelayStats struct {
	Connected    int    // peers
	Reservations int64  // held now
	Circuits     int64  // open now
	Opened       uint64 // circuits
	Bytes        uint64 // carried, in both directions
	Refused      uint64 // reservations and circuits that were asked for and not granted
	Strangers    uint64 // connections of peers that are not named
	Handshakes   Handshakes
}

// relayMeter counts what the relay service does.
type relayMeter struct {
	reservations, circuits            atomic.Int64
	opened, bytes, refused, strangers atomic.Uint64
}

func (m *relayMeter) stats() RelayStats {
	return RelayStats{
		Reservations: m.reservations.Load(), Circuits: m.circuits.Load(), Opened: m.opened.Load(),
		Bytes: m.bytes.Load(), Refused: m.refused.Load(), Strangers: m.strangers.Load(),
	}
}

// RelayStatus is of no interest.
func (m *relayMeter) RelayStatus(bool) {}

// ConnectionOpened counts a circuit.
func (m *relayMeter) ConnectionOpened() { m.circuits.Add(1); m.opened.Add(1) }

// ConnectionClosed counts its end.
func (m *relayMeter) ConnectionClosed(time.Duration) { m.circuits.Add(-1) }

// ConnectionRequestHandled counts a circuit that was not granted.
func (m *relayMeter) ConnectionRequestHandled(s pb.Status) { m.answered(s) }

// ReservationRequestHandled counts a reservation that was not granted.
func (m *relayMeter) ReservationRequestHandled(s pb.Status) { m.answered(s) }

// ReservationAllowed counts a new reservation.
func (m *relayMeter) ReservationAllowed(renewed bool) {
	if !renewed {
		m.reservations.Add(1)
	}
}

// ReservationClosed counts reservations that ended.
func (m *relayMeter) ReservationClosed(n int) { m.reservations.Add(-int64(n)) }

// BytesTransferred counts what is carried.
func (m *relayMeter) BytesTransferred(n int) { m.bytes.Add(uint64(n)) }

func (m *relayMeter) answered(s pb.Status) {
	if s != pb.Status_OK {
		m.refused.Add(1)
	}
}
