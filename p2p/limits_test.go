package p2p

import (
	"net/netip"
	"slices"
	"testing"

	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
)

// A limit on one party is of use only if it is well below what all share: less
// than a quarter, and so is what it can hold by coming again and again.
func TestLimitsFitTogether(t *testing.T) {
	fits := func(what string, all, one float64) {
		t.Helper()
		if one <= 0 || one >= all/4 {
			t.Errorf("%s: one has %v of %v, which is not less than a quarter", what, one, all)
		}
	}
	hold := max(handshakeTime, quicHandshakeTime).Seconds()
	for name, h := range map[string]struct {
		places placeLimits
		ip     perIP
		limits rcmgr.PartialLimitConfig
		kept   int // addresses for each who has kept places
	}{
		// Where a member came from, was reached, and is by configuration.
		"node":  {nodePlaces(), perIP{connsPerIP, connsPerSec, connsPerBurst}, nodeLimits(), 3 * maxFrom},
		"relay": {relayPlaces(), perIP{relayConnsPerIP, relayConnsPerSec, relayConnsPerBurst}, relayLimits(), maxFrom},
	} {
		p := h.places
		fits(name+": handshakes of an address", float64(p.anybody.places), float64(p.anybody.perAddr))
		fits(name+": handshakes of a network", float64(p.anybody.places), float64(p.anybody.perNetwork))
		fits(name+": handshakes that an address can renew", float64(p.anybody.places), float64(h.ip.perSec)*hold)
		fits(name+": handshakes that an IPv6 /48 can renew", float64(p.anybody.places), perWiderNet*float64(h.ip.perSec)*hold)
		for what, r := range map[string]roomLimits{"places": p.anybody, "kept places": p.known} {
			stuck := r.stuck()
			fits(name+": QUIC's "+what+" of an address", float64(stuck.places), float64(stuck.perAddr))
			fits(name+": QUIC's "+what+" of a network", float64(stuck.places), float64(stuck.perNetwork))
			for of, n := range map[string][2]int{
				"all": {r.places, stuck.places}, "an address": {r.perAddr, stuck.perAddr}, "a network": {r.perNetwork, stuck.perNetwork},
			} {
				if 4*(n[0]-n[1]) < n[0] || n[1] < 1 {
					t.Errorf("%s: of the %s of %s, %d, QUIC may have %d: a quarter is not left, or QUIC has none", name, what, of, n[0], n[1])
				}
			}
		}
		fits(name+": QUIC handshakes that an address can renew", float64(p.anybody.stuck().places), float64(h.ip.perSec)*quicHandshakeTime.Seconds())
		fits(name+": QUIC handshakes that an IPv6 /48 can renew", float64(p.anybody.stuck().places), perWiderNet*float64(h.ip.perSec)*quicHandshakeTime.Seconds())
		fits(name+": kept places of an address", float64(p.known.places), float64(p.known.perAddr))
		fits(name+": kept places of a network", float64(p.known.places), float64(p.known.perNetwork))
		fits(name+": kept places of a member", float64(p.known.places), float64(h.kept*p.known.perAddr))
		if p.known.places*4 < p.all() {
			t.Errorf("%s: %d of %d places are kept, less than a quarter", name, p.known.places, p.all())
		}

		all, before, peer := h.limits.System, h.limits.Transient, h.limits.PeerDefault
		fits(name+": connections of an address", float64(all.ConnsInbound), float64(h.ip.conns))
		fits(name+": connections of an IPv6 /48", float64(all.ConnsInbound), perWiderNet*float64(h.ip.conns))
		fits(name+": connections of a peer", float64(all.ConnsInbound), float64(peer.ConnsInbound))
		if int(before.ConnsInbound) < p.all() || before.Conns < before.ConnsInbound || before.FD < before.Conns ||
			2*p.all() > int(all.ConnsInbound) || all.FD < all.Conns {
			t.Errorf("%s: %d places for handshakes have no room below %+v and %+v", name, p.all(), before, all)
		}
		shares := func(what string, all, one rcmgr.ResourceLimits) {
			t.Helper()
			fits(name+": streams, "+what, float64(all.Streams), float64(one.Streams))
			fits(name+": inbound streams, "+what, float64(all.StreamsInbound), float64(one.StreamsInbound))
			fits(name+": outbound streams, "+what, float64(all.StreamsOutbound), float64(one.StreamsOutbound))
			fits(name+": memory, "+what, float64(all.Memory), float64(one.Memory))
		}
		shares("in all", all, peer)
		shares("before the protocol is known", before, peer)
		for s, one := range h.limits.ServicePeer {
			shares("service "+s, h.limits.Service[s], one)
		}
		for s, one := range h.limits.ProtocolPeer {
			shares("protocol "+string(s), h.limits.Protocol[s], one)
		}
		if name == "node" {
			shares("any service", h.limits.ServiceDefault, h.limits.ServicePeerDefault)
			shares("any protocol", h.limits.ProtocolDefault, h.limits.ProtocolPeerDefault)
			// Strangers of one address together.
			of := float64(strangerLimits().perAddr)
			fits("node: inbound streams of strangers", float64(before.StreamsInbound), of*float64(peer.StreamsInbound))
			fits("node: memory of strangers", float64(all.Memory), of*float64(peer.Memory))
			if before.Conns-before.ConnsInbound < nodeDialing || all.Conns-all.ConnsInbound < nodeDials {
				t.Error("node: who comes in keeps it from going out")
			}
		}
	}
	s, stay := strangerLimits(), (upgradeTime + proofTime + answerTime).Seconds()
	fits("strangers of an address", float64(s.places), float64(s.perAddr))
	fits("strangers of a network", float64(s.places), float64(s.perNetwork))
	fits("strangers that an address can renew", float64(s.places), strangerPerSec*stay)
	fits("rate of strangers", strangersPerSec, strangerPerSec)
	fits("burst of strangers", strangersBurst, strangerBurst)
	fits("joins at once", maxJoins, maxPeerJoins)
	fits("joins of an address at once", maxJoins, float64(s.perAddr))
	fits("rate of joins", joinsPerSec, joinPerSec)
	fits("burst of joins", joinsBurst, joinBurst)
	fits("dials at once", maxDials, 1)
	fits("dials of what was told at once", maxHearsay, 1)
	r := relayResources()
	fits("circuits", relayStreams, relayCircuits)
	fits("reservations", float64(r.MaxReservations), 1)
	fits("circuits of a relay in its service", float64(relayLimits().Service[relay.ServiceName].Streams), float64(r.MaxCircuits))
}

func TestRoom(t *testing.T) {
	at := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	r := newRoom(roomLimits{places: 6, perAddr: 2, perNetwork: 3})
	var in []string
	for _, s := range []string{
		"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", // two of one
		"192.0.2.2", "192.0.2.3", // and one more of its network
		"2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:ff::1", // one /56
		"2001:db8:0:100::1", "2001:db8:0:200::1", // one /48
		"198.51.100.1",
	} {
		if r.enter(at(s)) {
			in = append(in, s)
		}
	}
	want := []string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:100::1"}
	if !slices.Equal(in, want) {
		t.Errorf("in: %v, want %v", in, want)
	}
	for _, s := range in {
		r.leave(at(s))
	}
	if r.taken != 0 || len(r.by) != 0 {
		t.Errorf("after all left: %+v", r)
	}
}
