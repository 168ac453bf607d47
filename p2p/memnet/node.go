package memnet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
)

const (
	// queue is how many gossiped entries wait at one node; more are dropped, as
	// pubsub does.
	queue = 256
	// takeTime is how long one of them may take to be stored.
	takeTime = 15 * time.Second
)

// Node is the twin of p2p.Node: the same membership checks, the same checks of
// entries, the same sync and join protocols, over pipes.
type Node struct {
	self    journal.Author
	net     *Network
	talk    *p2p.Protocols
	doorman port.Doorman
	inbound chan gossiped

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	groups map[journal.GroupID]port.GroupLink
	// pending are strangers that wanted to connect.
	pending map[journal.Author]port.PeerStatus
	seen    map[journal.Author]time.Time
	pipes   map[*pipe]journal.Author
	raw     func(io.ReadWriteCloser)
}

type gossiped struct {
	from  journal.Author
	topic string
	raw   []byte
}

var _ port.Transport = (*Node)(nil)

// New adds a node to a network. The doorman may be nil. Close it.
func New(w *Network, id *journal.Identity, d port.Doorman) (*Node, error) {
	m := &Node{
		self: id.Author(), net: w, doorman: d,
		groups:  map[journal.GroupID]port.GroupLink{},
		pending: map[journal.Author]port.PeerStatus{},
		inbound: make(chan gossiped, queue),
		seen:    map[journal.Author]time.Time{},
		pipes:   map[*pipe]journal.Author{},
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	var err error
	if m.talk, err = p2p.NewProtocols(m.ctx, m.self, m, d, slog.New(slog.DiscardHandler), nil); err != nil {
		m.cancel()
		return nil, err
	}
	if err := w.add(m); err != nil {
		m.cancel()
		return nil, err
	}
	m.wg.Go(m.talk.Run)
	m.wg.Go(m.receive)
	return m, nil
}

// Author returns this node's identity.
func (m *Node) Author() journal.Author { return m.self }

// Attach opens a group or changes its link. Every member that has this node as
// a member is connected; hints are of no use here.
func (m *Node) Attach(_ context.Context, l port.GroupLink, in port.Inbox) error {
	if m.ctx.Err() != nil {
		return p2p.ErrClosed
	}
	if _, err := m.talk.Attach(l, in); err != nil {
		return fmt.Errorf("attach group: %w", err)
	}
	m.mu.Lock()
	m.groups[l.Group] = port.GroupLink{Group: l.Group, Topics: slices.Clone(l.Topics), Members: slices.Clone(l.Members)}
	for _, a := range l.Members {
		delete(m.pending, a)
	}
	m.mu.Unlock()
	m.talk.Forget()
	m.net.refresh()
	m.talk.SyncGroup(l.Group)
	return nil
}

// Detach leaves a group.
func (m *Node) Detach(id journal.GroupID) error {
	if _, err := m.talk.Detach(id); err != nil {
		return fmt.Errorf("detach group: %w", err)
	}
	m.mu.Lock()
	delete(m.groups, id)
	m.mu.Unlock()
	m.talk.Forget()
	m.net.refresh()
	return nil
}

// Publish sends an entry to the connected members on the group's first topic.
func (m *Node) Publish(_ context.Context, e *journal.Entry) error {
	if len(e.Bytes()) > journal.MaxEntrySize {
		return fmt.Errorf("publish: %w", port.RejectOversized)
	}
	m.mu.Lock()
	g, attached := m.groups[e.Header().Group]
	m.mu.Unlock()
	if !attached {
		return fmt.Errorf("publish: %w", p2p.ErrNotAttached)
	}
	for _, p := range m.Connected() {
		if slices.Contains(g.Members, p) {
			m.send(p, g.Topics[0], e.Bytes())
		}
	}
	m.talk.Changed(g.Group)
	return nil
}

// send queues bytes at a peer that listens on a topic, if there is room.
func (m *Node) send(p journal.Author, topic string, raw []byte) {
	to := m.net.node(p)
	if to == nil || !to.listens(topic) {
		return
	}
	select {
	case to.inbound <- gossiped{m.self, topic, raw}:
	default:
	}
}

// listens says whether a topic is of an attached group.
func (m *Node) listens(topic string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.groups {
		if slices.Contains(g.Topics, topic) {
			return true
		}
	}
	return false
}

// PublishRaw sends any bytes on a topic, as a hostile member can.
func (m *Node) PublishRaw(topic string, raw []byte) {
	for _, p := range m.Connected() {
		m.send(p, topic, raw)
	}
}

// OpenRaw opens a sync stream to a connected member, as a hostile one can.
func (m *Node) OpenRaw(ctx context.Context, to journal.Author) (io.ReadWriteCloser, error) {
	return m.Open(ctx, to)
}

// ServeRaw answers sync streams with f, as a hostile member can.
func (m *Node) ServeRaw(f func(io.ReadWriteCloser)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.raw = f
}

func (m *Node) receive() {
	for {
		select {
		case <-m.ctx.Done():
			return
		case g := <-m.inbound:
			ctx, cancel := context.WithTimeout(m.ctx, takeTime)
			_ = m.talk.Take(ctx, g.from, g.topic, g.raw)
			cancel()
		}
	}
}

// Sync starts an exchange with one member, or with all that are connected.
func (m *Node) Sync(id journal.GroupID, p *journal.Author) { m.talk.Sync(id, p) }

// Join presents an invite to its founder.
func (m *Node) Join(ctx context.Context, inv port.Invite, claim *port.SuccessionClaim) (port.Grant, error) {
	var none port.Grant
	f := m.net.node(inv.Founder)
	if f == nil || f == m || !m.net.linked(m.self, inv.Founder) || f.doorman == nil ||
		!(f.doorman.Open() || f.talk.Member(m.self)) {
		return none, fmt.Errorf("join: %w", port.ErrFounderAway)
	}
	here, there := m.pipe(f)
	f.serve(there, func() { f.talk.Admit(f.ctx, there, m.self) })
	stop := context.AfterFunc(ctx, func() { _ = here.Reset() })
	defer stop()
	grant, err := m.talk.Join(here, inv, claim)
	if err != nil {
		_ = here.Reset()
		return none, fmt.Errorf("join: %w", err)
	}
	return grant, here.Close()
}

// Peers returns what is known of every member and of pending strangers.
func (m *Node) Peers() []port.PeerStatus {
	up := map[journal.Author]bool{}
	for _, a := range m.Connected() {
		up[a] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []port.PeerStatus
	for _, a := range m.talk.Members() {
		s := port.PeerStatus{
			Peer: a, PeerID: peerID(a), Connected: up[a], LastSeen: m.seen[a], Rejects: m.talk.Rejects(a),
		}
		if up[a] {
			s.LastSeen = time.Now()
		}
		out = append(out, s)
	}
	return append(out, slices.SortedFunc(maps.Values(m.pending), func(a, b port.PeerStatus) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), bytes.Compare(a.Peer[:], b.Peer[:]))
	})...)
}

// refused notes a stranger that wanted to connect.
func (m *Node) refused(a journal.Author) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending[a] = port.PeerStatus{
		Peer: a, PeerID: peerID(a), Pending: true, LastSeen: time.Now(), Addresses: []string{"memory"},
	}
}

// peerID is the name of a node on a real network.
func peerID(a journal.Author) string {
	id, err := p2p.PeerID(a)
	if err != nil {
		return ""
	}
	return id.String()
}

// Close takes the node off the network.
func (m *Node) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.net.remove(m)
	m.talk.Close()
	m.wg.Wait()
	return nil
}

// serve runs what serves a stream that another node opened.
func (m *Node) serve(p *pipe, run func()) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		_ = p.Reset()
		return
	}
	m.wg.Add(1)
	m.mu.Unlock()
	go func() {
		defer m.wg.Done()
		run()
	}()
}

// Connected returns the members that are connected, sorted.
func (m *Node) Connected() []journal.Author { return m.net.connectedTo(m.self) }

// Records returns nothing: there are no addresses here.
func (m *Node) Records(map[journal.Author]bool) [][]byte { return nil }

// Heard takes no addresses.
func (m *Node) Heard(map[journal.Author]bool, [][]byte) {}

var errNoLink = errors.New("no connection to the peer")

// Open starts a sync stream to a connected member.
func (m *Node) Open(_ context.Context, to journal.Author) (p2p.Stream, error) {
	if !m.net.isConnected(m.self, to) {
		return nil, errNoLink
	}
	n := m.net.node(to)
	if n == nil {
		return nil, errNoLink
	}
	here, there := m.pipe(n)
	n.mu.Lock()
	raw := n.raw
	n.mu.Unlock()
	n.serve(there, func() {
		if raw != nil {
			raw(there)
		} else {
			n.talk.Serve(there, m.self)
		}
	})
	return here, nil
}
