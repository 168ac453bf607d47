package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// The protocols of a node, besides pubsub's.
const (
	SyncProtocol protocol.ID = "/quorate/sync/1"
	JoinProtocol protocol.ID = "/quorate/join/1"
)

// closeTime is how long Close takes at most.
const closeTime = 2 * time.Second

// Node is a libp2p host behind the Transport port.
type Node struct {
	rules  *dialRules
	self   journal.Author
	host   host.Host
	ears   *listeners
	log    *slog.Logger
	talk   *Protocols
	gate   *gate
	door   *places
	dir    *directory
	gossip *gossip
	redial *redialer
	moves  *moves
	mdns   interface{ Close() error }

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // one change of groups at a time
	closed bool
}

var _ port.Transport = (*Node)(nil)

// New starts a node. It runs until Close; ctx bounds its life too.
func New(ctx context.Context, cfg Config) (*Node, error) {
	if cfg.Identity == nil {
		return nil, errors.New("start p2p: no identity")
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	relays, err := peerAddrs(cfg.Relays)
	if err != nil {
		return nil, fmt.Errorf("read relays: %w", err)
	}
	bootstrap, err := peerAddrs(cfg.Bootstrap)
	if err != nil {
		return nil, fmt.Errorf("read bootstrap addresses: %w", err)
	}
	var external []ma.Multiaddr
	for _, t := range cfg.ExternalAddrs {
		a, err := ma.NewMultiaddr(t)
		if err != nil {
			return nil, fmt.Errorf("read external address: %w", err)
		}
		external = append(external, a)
	}
	dir, err := newDirectory(cfg.Book, log)
	if err != nil {
		return nil, err
	}
	for _, b := range bootstrap {
		if a, err := AuthorOf(b.ID); err == nil {
			dir.fix(a, b.Addrs)
		}
	}

	n := &Node{self: cfg.Identity.Author(), log: log, dir: dir}
	n.ctx, n.cancel = context.WithCancel(ctx)
	if n.talk, err = NewProtocols(n.ctx, n.self, lines{n}, cfg.Doorman, log, cfg.Tap); err != nil {
		n.cancel()
		return nil, err
	}
	rules := newDialRules(dir, relays, cfg.ToldNetworks)
	rules.home = atHome(cfg.Listen, external, relays)
	n.rules = rules
	n.gate = newGate(n.talk.reg, rules, cfg.Doorman, log)
	if n.door, err = newResourceManager(func(ip netip.Addr) bool { return dir.known(ip) || rules.relayAt(ip) }); err != nil {
		n.cancel()
		return nil, err
	}
	n.gate.door = n.door
	if n.host, err = newHost(cfg, n.gate, n.door, relays, external); err == nil {
		n.ears, err = openAll(n.host, log, cfg.Listen, cfg.Ports)
	}
	if err != nil {
		n.cancel()
		return nil, err
	}
	dir.news = n.moved
	n.talk.join.stay = func(a journal.Author, d time.Duration) {
		if id, err := PeerID(a); err == nil {
			n.gate.stay(id, d)
		}
	}
	n.redial = newRedialer(n.host, n.talk.reg, rules)
	n.moves = newMoves()
	if n.gossip, err = newGossip(n.ctx, n.host, n.talk, log, cfg.Tap); err == nil {
		err = n.watch()
	}
	if err == nil && cfg.MDNS {
		err = n.startMDNS()
	}
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	n.host.SetStreamHandler(SyncProtocol, n.onSync)
	n.host.SetStreamHandler(JoinProtocol, n.onJoin)
	n.wg.Go(func() { n.redial.run(n.ctx) })
	n.wg.Go(func() { n.followMoves(n.ctx) })
	n.wg.Go(func() { n.ears.run(n.ctx) })
	n.wg.Go(n.talk.Run)
	return n, nil
}

// peerAddrs reads addresses that end in a peer ID, one entry for each peer.
func peerAddrs(texts []string) ([]peer.AddrInfo, error) {
	var addrs []ma.Multiaddr
	for _, t := range texts {
		a, err := ma.NewMultiaddr(t)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, a)
	}
	return peer.AddrInfosFromP2pAddrs(addrs...)
}

// atHome says whether a node is set up for groups on its own machine alone.
func atHome(listen []string, external []ma.Multiaddr, relays []peer.AddrInfo) bool {
	addrs := slices.Clone(external)
	for _, t := range listen {
		if a, err := ma.NewMultiaddr(t); err == nil {
			addrs = append(addrs, a)
		}
	}
	for _, r := range relays {
		addrs = append(addrs, r.Addrs...)
	}
	return len(addrs) > 0 && loopbackOnly(addrs)
}

// Author returns this node's identity.
func (n *Node) Author() journal.Author { return n.self }

// Addresses returns where others may reach this node, each with /p2p/.
func (n *Node) Addresses() []string {
	var out []string
	own := slices.DeleteFunc(slices.Clone(n.host.Addrs()), func(a ma.Multiaddr) bool { return len(a) == 0 })
	if len(own) == 0 {
		return nil // a peer ID alone is no address
	}
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: n.host.ID(), Addrs: own})
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return out
}

// ListenAddrs returns the addresses this node listens on, with the ports that
// were chosen where 0 was configured.
func (n *Node) ListenAddrs() []string {
	var out []string
	for _, a := range n.host.Network().ListenAddresses() {
		if a[0].Protocol().Code != ma.P_CIRCUIT {
			out = append(out, a.String())
		}
	}
	return out
}

// Ports returns the addresses whose ports were chosen for a port of 0 (see Config).
func (n *Node) Ports() []string { return n.ears.ports() }

// NotListening returns the configured addresses that this node does not listen on
// now, and why. They are tried again twice a minute.
func (n *Node) NotListening() []ListenError { return n.ears.missing() }

// Attach opens a group or changes its link.
func (n *Node) Attach(_ context.Context, l port.GroupLink, in port.Inbox) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrClosed
	}
	left, err := n.talk.Attach(l, in)
	if err != nil {
		return fmt.Errorf("attach group: %w", err)
	}
	for _, m := range l.Members {
		if m != n.self && n.dir.fix(m, parseAddrs(l.Hints[m])) {
			n.redial.soon(m)
		}
	}
	if err := n.gossip.follow(); err != nil {
		return fmt.Errorf("attach group: %w", err)
	}
	n.membersChanged(left)
	n.talk.SyncGroup(l.Group)
	return nil
}

// Detach leaves a group and ends connections to peers that are in no other.
func (n *Node) Detach(id journal.GroupID) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	left, err := n.talk.Detach(id)
	if err != nil {
		return fmt.Errorf("detach group: %w", err)
	}
	err = n.gossip.follow()
	n.membersChanged(left)
	if err != nil {
		return fmt.Errorf("detach group: %w", err)
	}
	return nil
}

// membersChanged applies membership to what lives: protection, connections,
// counters.
func (n *Node) membersChanged(left []journal.Author) {
	again := n.gossip.subs.revived()
	for _, a := range append(left, again...) {
		id, err := PeerID(a)
		if err != nil {
			continue
		}
		// Pubsub sends past its peer filter to whom it knows on a topic, so who
		// left one group but is in another is connected anew as well.
		if n.talk.Member(a) {
			n.redial.anew(a)
		} else {
			n.host.ConnManager().Unprotect(id, userAgent)
			n.dir.drop(a)
		}
		n.wg.Go(func() { _ = n.host.Network().ClosePeer(id) })
	}
	for _, a := range n.talk.Members() {
		if id, err := PeerID(a); err == nil {
			n.remember(a, id)
			n.host.ConnManager().Protect(id, userAgent)
			n.gate.welcome(id)
		}
	}
	n.redial.follow()
	n.talk.Forget()
}

// Publish hands an entry to pubsub, on the group's first topic, and tells the
// members a moment later that this node holds it.
func (n *Node) Publish(ctx context.Context, e *journal.Entry) error {
	g := n.talk.reg.get(e.Header().Group)
	if g == nil {
		return fmt.Errorf("publish: %w", ErrNotAttached)
	}
	if err := n.gossip.publish(ctx, g.topics[0], e); err != nil {
		return err
	}
	n.talk.Changed(g.id)
	return nil
}

// Sync starts an exchange with one member, or with all that are connected.
func (n *Node) Sync(id journal.GroupID, p *journal.Author) {
	n.talk.Sync(id, p)
}

// Close stops everything, in order, within two seconds.
func (n *Node) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	n.cancel()
	done := make(chan error, 1)
	go func() {
		if n.mdns != nil {
			_ = n.mdns.Close()
		}
		n.dir.close()
		n.gate.close()
		n.talk.Close()
		err := n.host.Close()
		if n.gossip != nil {
			n.gossip.close()
		}
		n.wg.Wait()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("close libp2p host: %w", err)
		}
		return nil
	case <-time.After(closeTime):
		buf := make([]byte, 1<<20)
		n.log.Error("the network was not closed in time", "goroutines", string(buf[:runtime.Stack(buf, true)]))
		return errors.New("close p2p: not done in time")
	}
}

func (n *Node) onSync(s network.Stream) {
	a, err := AuthorOf(s.Conn().RemotePeer())
	if err != nil {
		_ = s.Reset()
		return
	}
	n.talk.Serve(s, a)
}
