package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// memoryQueue is how many gossiped entries wait at one node; more are dropped,
// as pubsub does.
const memoryQueue = 256

// Memory is the in-memory twin of Node: the same membership checks, the same
// checks of entries, the same sync and join protocols, over pipes.
type Memory struct {
	self    journal.Author
	net     *MemoryNetwork
	reg     *registry
	tally   *tally
	sync    *syncer
	join    *joiner
	doorman port.Doorman
	pending *pendingPeers
	inbound chan gossiped

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	seen   map[journal.Author]time.Time
	pipes  map[*pipe]journal.Author
	raw    func(io.ReadWriteCloser)
}

type gossiped struct {
	from  journal.Author
	topic string
	raw   []byte
}

var _ port.Transport = (*Memory)(nil)

// NewMemory adds a node to a network. The doorman may be nil. Close it.
func NewMemory(w *MemoryNetwork, id *journal.Identity, d port.Doorman) (*Memory, error) {
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	m := &Memory{
		self: id.Author(), net: w, doorman: d,
		pending: newPendingPeers(),
		inbound: make(chan gossiped, memoryQueue),
		seen:    map[journal.Author]time.Time{},
		pipes:   map[*pipe]journal.Author{},
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.reg = newRegistry(m.self)
	m.tally = newTally(m.reg)
	m.sync = newSyncer(m.ctx, m.reg, m, m.tally, log, codec, nil)
	m.join = newJoiner(m.self, d, codec, log, nil)
	if err := w.add(m); err != nil {
		m.cancel()
		return nil, err
	}
	m.wg.Go(m.sync.run)
	m.wg.Go(m.receive)
	return m, nil
}

// Author returns this node's identity.
func (m *Memory) Author() journal.Author { return m.self }

// Attach opens a group or changes its link. Every member that has this node as
// a member is connected; hints are of no use here.
func (m *Memory) Attach(_ context.Context, l port.GroupLink, in port.Inbox) error {
	if m.ctx.Err() != nil {
		return ErrClosed
	}
	g, _, err := m.reg.attach(l, in)
	if err != nil {
		return fmt.Errorf("attach group: %w", err)
	}
	for a := range g.members {
		m.pending.remove(a)
	}
	m.tally.forget()
	m.sync.forget()
	m.net.refresh()
	m.sync.syncGroup(g.id)
	return nil
}

// Detach leaves a group.
func (m *Memory) Detach(id journal.GroupID) error {
	if g, _ := m.reg.detach(id); g == nil {
		return fmt.Errorf("detach group: %w", ErrNotAttached)
	}
	m.tally.forget()
	m.sync.forget()
	m.net.refresh()
	return nil
}

// Publish sends an entry to the connected members on the group's first topic.
func (m *Memory) Publish(_ context.Context, e *journal.Entry) error {
	if len(e.Bytes()) > journal.MaxEntrySize {
		return fmt.Errorf("publish: %w", port.RejectOversized)
	}
	g := m.reg.get(e.Header().Group)
	if g == nil {
		return fmt.Errorf("publish: %w", ErrNotAttached)
	}
	for _, p := range m.connected() {
		if g.members[p] {
			m.send(p, g.topics[0], e.Bytes())
		}
	}
	m.sync.changed(g.id)
	return nil
}

// send queues bytes at a peer that listens on a topic, if there is room.
func (m *Memory) send(p journal.Author, topic string, raw []byte) {
	to := m.net.node(p)
	if to == nil || to.reg.ofTopic(topic) == nil {
		return
	}
	select {
	case to.inbound <- gossiped{m.self, topic, raw}:
	default:
	}
}

// PublishRaw sends any bytes on a topic, as a hostile member can.
func (m *Memory) PublishRaw(topic string, raw []byte) {
	for _, p := range m.connected() {
		m.send(p, topic, raw)
	}
}

// OpenRaw opens a sync stream to a connected member, as a hostile one can.
func (m *Memory) OpenRaw(ctx context.Context, to journal.Author) (io.ReadWriteCloser, error) {
	return m.open(ctx, to)
}

// ServeRaw answers sync streams with f, as a hostile member can.
func (m *Memory) ServeRaw(f func(io.ReadWriteCloser)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.raw = f
}

func (m *Memory) receive() {
	for {
		select {
		case <-m.ctx.Done():
			return
		case g := <-m.inbound:
			ctx, cancel := context.WithTimeout(m.ctx, validateTimeout)
			_ = takeGossip(ctx, m.reg, m.sync, m.tally, g.from, g.topic, g.raw)
			cancel()
		}
	}
}

// Sync starts an exchange with one member, or with all that are connected.
func (m *Memory) Sync(id journal.GroupID, p *journal.Author) { m.sync.insist(id, p) }

// Join presents an invite to its founder.
func (m *Memory) Join(ctx context.Context, inv port.Invite, claim *port.ReplacementClaim) (port.Grant, error) {
	var none port.Grant
	f := m.net.node(inv.Founder)
	if f == nil || f == m || !m.net.linked(m.self, inv.Founder) || f.doorman == nil ||
		!(f.doorman.Open() || f.reg.member(m.self)) {
		return none, fmt.Errorf("join: %w", ErrFounderAway)
	}
	here, there := m.pipe(f)
	f.serve(there, func() { f.join.serve(f.ctx, there, m.self) })
	stop := context.AfterFunc(ctx, func() { _ = here.Reset() })
	defer stop()
	grant, err := m.join.ask(here, inv, claim)
	if err != nil {
		_ = here.Reset()
		return none, fmt.Errorf("join: %w", err)
	}
	return grant, here.Close()
}

// Peers returns what is known of every member and of pending strangers.
func (m *Memory) Peers() []port.PeerStatus {
	up := map[journal.Author]bool{}
	for _, a := range m.connected() {
		up[a] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []port.PeerStatus
	for _, a := range m.reg.members() {
		id, err := PeerID(a)
		if err != nil {
			continue
		}
		s := port.PeerStatus{
			Peer: a, PeerID: id.String(), Connected: up[a], LastSeen: m.seen[a], Rejects: m.tally.of(a),
		}
		if up[a] {
			s.LastSeen = time.Now()
		}
		out = append(out, s)
	}
	return append(out, sortPending(m.pending.list())...)
}

// Close takes the node off the network.
func (m *Memory) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.net.remove(m)
	m.sync.close()
	m.wg.Wait()
	return nil
}

// serve runs what serves a stream that another node opened.
func (m *Memory) serve(p *pipe, run func()) {
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

func (m *Memory) connected() []journal.Author { return m.net.connectedTo(m.self) }

func (m *Memory) records(*group) [][]byte { return nil }
func (m *Memory) heard(*group, [][]byte)  {}

var errNoLink = errors.New("no connection to the peer")

func (m *Memory) open(_ context.Context, to journal.Author) (stream, error) {
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
			n.sync.handle(there, m.self)
		}
	})
	return here, nil
}
