package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
)

// RelayConfig is what a relay needs to know. Addresses are multiaddr text.
type RelayConfig struct {
	// Identity is the relay's own key. It is in no group.
	Identity *journal.Identity
	// Listen are the addresses to listen on.
	Listen []string
	// ExternalAddrs are addresses under which nodes reach this relay, where
	// they are others than those it listens on.
	ExternalAddrs []string
	// Allow says who may use the relay.
	Allow RelayGroups
	// Log may be nil.
	Log *slog.Logger
	// ExtraOptions are added to the host's, for tests on virtual networks.
	ExtraOptions []libp2p.Option
	// Tap, if not nil, is given everything that the relay reads of members, as
	// it comes out of their connection to it. It is called concurrently. It is
	// for tests that look for what a relay can learn.
	Tap func(b []byte)
}

// RelayGroups are the peer IDs that may use a relay, by the name of a group: two
// peers are joined if a group holds both. The names mean nothing beyond that.
type RelayGroups map[string][]string

// Relay carries connections between nodes that cannot reach each other. It
// copies bytes that two members have encrypted between them: it learns who
// talks to whom, when, and how much.
type Relay struct {
	host    host.Host
	service *relay.Relay
	door    *relayDoor
	meter   *relayMeter
	conns   *connmgr.BasicConnMgr

	once sync.Once
	err  error
}

// NewRelay starts a relay. It runs until Close.
func NewRelay(cfg RelayConfig) (*Relay, error) {
	if cfg.Identity == nil {
		return nil, errors.New("start relay: no identity")
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var external []ma.Multiaddr
	for _, t := range cfg.ExternalAddrs {
		a, err := ma.NewMultiaddr(t)
		if err != nil {
			return nil, fmt.Errorf("read external address: %w", err)
		}
		external = append(external, a)
	}
	meter := &relayMeter{}
	door := newRelayDoor(log, meter)
	if _, err := door.set(cfg.Allow); err != nil {
		return nil, err
	}
	r := &Relay{door: door, meter: meter}
	var err error
	if r.host, r.conns, err = newRelayHost(cfg, log, door, external); err != nil {
		return nil, err
	}
	served := r.host
	if cfg.Tap != nil {
		served = tappedHost{r.host, cfg.Tap}
	}
	r.service, err = relay.New(served,
		relay.WithResources(relayResources()),
		relay.WithInfiniteLimits(),
		relay.WithACL(door),
		relay.WithMetricsTracer(r.meter),
		// Members may share a private network with their relay.
		relay.WithReservationAddressFilter(func(ma.Multiaddr) bool { return true }),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start relay service: %w", err), r.host.Close())
	}
	r.protect(nil)
	return r, nil
}

// newRelayHost makes a host that is dialed and dials nobody, and answers to
// identify alone.
func newRelayHost(cfg RelayConfig, log *slog.Logger, door *relayDoor, external []ma.Multiaddr) (host.Host, *connmgr.BasicConnMgr, error) {
	key, err := hostKey(cfg.Identity)
	if err != nil {
		return nil, nil, err
	}
	limits, err := newRelayResourceManager(door.known)
	if err != nil {
		return nil, nil, err
	}
	door.places = limits
	// Everybody who is let in is named, so none is ever trimmed for another.
	conns, err := connmgr.NewConnManager(relayConns, 2*relayConns, connmgr.WithGracePeriod(30*time.Second))
	if err != nil {
		_ = limits.Close()
		return nil, nil, fmt.Errorf("make connection manager: %w", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.NoListenAddrs, // see openAll
		libp2p.UserAgent(userAgent),
		libp2p.ProtocolVersion(userAgent + "/1"),
		libp2p.Ping(false),
		libp2p.DisableMetrics(),
		libp2p.DisableRelay(), // the client's side of it
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPublic(),
		libp2p.ResourceManager(limits),
		quickHandshakes(),
		libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(door),
	}
	if len(external) > 0 {
		opts = append(opts, libp2p.AddrsFactory(func(own []ma.Multiaddr) []ma.Multiaddr {
			return ma.Unique(append(append([]ma.Multiaddr{}, external...), own...))
		}))
	}
	h, err := libp2p.New(append(opts, cfg.ExtraOptions...)...)
	if err != nil {
		// An option that fails leaves these to us; closing twice is harmless.
		_ = conns.Close()
		_ = limits.Close()
		return nil, nil, fmt.Errorf("start libp2p host: %w", err)
	}
	l, err := openAll(h, log, cfg.Listen, nil)
	if err != nil {
		return nil, nil, err
	}
	// A relay that cannot be reached where it tells others to look is none, and
	// nobody looks at it while it runs.
	if missing := l.missing(); len(missing) > 0 {
		return nil, nil, errors.Join(&missing[0], h.Close())
	}
	return h, conns, nil
}

// PeerID returns the relay's own peer ID.
func (r *Relay) PeerID() string { return r.host.ID().String() }

// Addresses returns where nodes reach the relay, each with /p2p/: what goes into
// their `relays`.
func (r *Relay) Addresses() []string {
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: r.host.ID(), Addrs: r.host.Addrs()})
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return out
}

// Allow replaces who may use the relay. Who may no longer is disconnected, and
// so are those who no longer share a group. On an error nothing changes.
func (r *Relay) Allow(groups RelayGroups) error {
	gone, err := r.door.set(groups)
	if err != nil {
		return err
	}
	r.protect(gone)
	for _, p := range gone {
		// Circuits run over it, and end with it.
		_ = r.host.Network().ClosePeer(p)
	}
	return nil
}

// protect keeps connections of everybody who is named.
func (r *Relay) protect(gone []peer.ID) {
	for _, p := range gone {
		r.conns.Unprotect(p, userAgent)
	}
	for _, p := range r.door.named() {
		r.conns.Protect(p, userAgent)
	}
}

// Stats returns what the relay does now, and did since it was started.
func (r *Relay) Stats() RelayStats {
	s := r.meter.stats()
	s.Handshakes = r.door.places.handshakes()
	for _, p := range r.host.Network().Peers() {
		if len(r.host.Network().ConnsToPeer(p)) > 0 {
			s.Connected++
		}
	}
	return s
}

// Close ends all circuits and stops the relay, within two seconds.
func (r *Relay) Close() error {
	r.once.Do(func() { r.err = r.close() })
	return r.err
}

func (r *Relay) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- errors.Join(r.service.Close(), r.host.Close()) }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("close relay: %w", err)
		}
		return nil
	case <-ctx.Done():
		return errors.New("close relay: not done in time")
	}
}
