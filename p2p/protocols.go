package p2p

import (
	"context"
	"errors"
	"log/slog"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Protocols is the half of a node that does not depend on what carries it: who
// is a member, what is done with an entry that arrives, the sync and the join
// protocol. A Node runs it over libp2p, package memnet over pipes.
type Protocols struct {
	reg   *registry
	tally *tally
	sync  *syncer
	join  *joiner
}

// NewProtocols returns the protocols of one node, in no group yet. They end with
// the context. The doorman answers invites, and tap is given every frame of sync
// and join; both may be nil.
func NewProtocols(ctx context.Context, self journal.Author, net Links, d port.Doorman, log *slog.Logger, tap func(kind string, frame []byte)) (*Protocols, error) {
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	p := &Protocols{reg: newRegistry(self)}
	p.tally = newTally(p.reg)
	p.sync = newSyncer(ctx, p.reg, net, p.tally, log, codec, tap)
	p.join = newJoiner(self, d, codec, log, tap)
	return p, nil
}

// Run syncs every group with every connected member from time to time, until
// the context ends.
func (p *Protocols) Run() { p.sync.run() }

// Close waits for everything that runs. The context must have ended.
func (p *Protocols) Close() { p.sync.close() }

// Attach opens a group or changes its link, and returns who left it. When the
// connections are those of the new members, Forget and SyncGroup follow.
func (p *Protocols) Attach(l port.GroupLink, in port.Inbox) (left []journal.Author, err error) {
	_, left, err = p.reg.attach(l, in)
	return left, err
}

// Detach leaves a group and returns its members but this node, or
// ErrNotAttached. Forget follows.
func (p *Protocols) Detach(id journal.GroupID) (left []journal.Author, err error) {
	g, left := p.reg.detach(id)
	if g == nil {
		return nil, ErrNotAttached
	}
	return left, nil
}

// Forget drops what is kept of peers that are in no group any more.
func (p *Protocols) Forget() {
	p.tally.forget()
	p.sync.forget()
}

// Member says whether a peer is in any group.
func (p *Protocols) Member(a journal.Author) bool { return p.reg.member(a) }

// Members returns everybody in any group but this node, sorted.
func (p *Protocols) Members() []journal.Author { return p.reg.members() }

// Rejects returns how often a member was refused something, by rule.
func (p *Protocols) Rejects(a journal.Author) map[string]uint64 { return p.tally.of(a) }

// Changed announces to connected members, a moment later, that this node holds
// more of a group than before.
func (p *Protocols) Changed(id journal.GroupID) { p.sync.changed(id) }

// SyncGroup syncs one group with every connected member.
func (p *Protocols) SyncGroup(id journal.GroupID) { p.sync.syncGroup(id) }

// SyncPeer syncs every shared group with one member, which is connected anew.
func (p *Protocols) SyncPeer(a journal.Author) { p.sync.syncPeer(a) }

// Sync syncs a group with one member, or nil for all that are connected,
// whatever they did before.
func (p *Protocols) Sync(id journal.GroupID, with *journal.Author) { p.sync.insist(id, with) }

// Serve answers a sync stream that a peer opened. It returns when it is done.
func (p *Protocols) Serve(st Stream, from journal.Author) { p.sync.handle(st, from) }

// Join presents an invite on a stream to its founder.
func (p *Protocols) Join(st Stream, inv port.Invite, claim *port.SuccessionClaim) (port.Grant, error) {
	return p.join.ask(st, inv, claim)
}

// Admit answers a join stream of a stranger. It returns when it is done.
func (p *Protocols) Admit(ctx context.Context, st Stream, from journal.Author) {
	p.join.serve(ctx, st, from)
}

// Take checks a gossiped entry and hands it up; a gap starts a pull. Its errors
// are outcomes of the port.
func (p *Protocols) Take(ctx context.Context, from journal.Author, topic string, raw []byte) error {
	gr := p.reg.onTopic(topic, from)
	if gr == nil {
		p.tally.count(from, port.RejectNonMember)
		return port.RejectNonMember
	}
	e, err := check(gr.id, raw)
	if err == nil {
		err = deliverPatiently(ctx, gr, from, e)
	}
	if err == nil {
		p.sync.changed(gr.id)
		return nil
	}
	p.tally.count(from, err)
	p.sync.resume(gr.id, err)
	var gap *port.GapError
	if errors.As(err, &gap) {
		p.sync.request(gr.id, from)
	}
	return err
}
