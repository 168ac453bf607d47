package p2p

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Bounds of gossip.
const (
	// maxGossip leaves room for the topic name and the envelope of a message,
	// and for entries a little over the limit, so that they are counted under
	// their name; what is larger resets the stream.
	maxGossip          = journal.MaxEntrySize + 16<<10
	outboundQueue      = 256
	validateQueue      = 256
	validateAtOnce     = 64
	validateTimeout    = 15 * time.Second
	subscriptionBuffer = 1024
)

// gossip is the fast path: one pubsub topic for each topic of each group.
type gossip struct {
	ctx  context.Context
	host host.Host
	talk *Protocols
	log  *slog.Logger
	ps   *pubsub.PubSub
	subs *subscriptions

	mu     sync.Mutex
	joined map[string]*joined
	wg     sync.WaitGroup
}

type joined struct {
	topic *pubsub.Topic
	sub   *pubsub.Subscription
}

func newGossip(ctx context.Context, h host.Host, talk *Protocols, log *slog.Logger, tap func(string, []byte)) (*gossip, error) {
	g := &gossip{
		ctx: ctx, host: h, talk: talk, log: log,
		subs:   newSubscriptions(talk.reg),
		joined: map[string]*joined{},
	}
	p := pubsub.DefaultGossipSubParams()
	p.D, p.Dlo, p.Dhi, p.Dscore, p.Dout, p.Dlazy = 8, 4, 32, 4, 2, 8
	p.HeartbeatInterval = time.Second
	p.HistoryLength, p.HistoryGossip = 10, 6
	p.PruneBackoff, p.UnsubscribeBackoff = 10*time.Second, 5*time.Second
	// Who has an entry tells those it gossips with at once, whatever its size, and
	// they, who store it before they pass it on, need not send it a copy.
	p.IDontWantMessageThreshold = 0
	ps, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubParams(p),
		pubsub.WithFloodPublish(true),
		pubsub.WithPeerExchange(false),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(maxGossip),
		pubsub.WithPeerOutboundQueueSize(outboundQueue),
		pubsub.WithValidateQueueSize(validateQueue),
		pubsub.WithSubscriptionFilter(g.subs),
		pubsub.WithPeerFilter(g.allowed),
		pubsub.WithBlacklist(outsiders{g}),
		pubsub.WithAppSpecificRpcInspector(g.inspect),
		pubsub.WithRawTracer(&tracer{gossip: g, tap: tap}),
		pubsub.WithLogger(slog.New(slog.DiscardHandler)),
		pubsub.WithRPCLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		return nil, fmt.Errorf("start pubsub: %w", err)
	}
	g.ps = ps
	return g, nil
}

// messageID is the SHA-256 of the bytes.
func messageID(m *pb.Message) string {
	sum := sha256.Sum256(m.GetData())
	return string(sum[:])
}

// allowed is the peer filter: it says whether a peer may be on a topic.
func (g *gossip) allowed(p peer.ID, topic string) bool {
	a, err := AuthorOf(p)
	return err == nil && g.talk.reg.onTopic(topic, a) != nil
}

// inspect drops everything that a peer in no group sends, and of a member the
// entries that are over its rate: sync brings them.
func (g *gossip) inspect(p peer.ID, rpc *pubsub.RPC) error {
	if (outsiders{g}).Contains(p) {
		return port.RejectNonMember
	}
	if a, err := AuthorOf(p); err == nil {
		rpc.Publish = g.talk.sync.rates.keep(a, rpc.Publish)
	}
	return nil
}

// outsiders is pubsub's blacklist: everybody in no group. Pubsub announces
// topic names to every peer that is not on it.
type outsiders struct{ g *gossip }

// Add does nothing: who is an outsider follows from membership.
func (o outsiders) Add(peer.ID) bool { return false }

// Contains says whether a peer is in no group. Messages have no author, which
// pubsub asks for as the empty ID.
func (o outsiders) Contains(p peer.ID) bool {
	if p == "" || p == o.g.host.ID() {
		return false
	}
	a, err := AuthorOf(p)
	return err != nil || !o.g.talk.Member(a)
}

// follow joins the topics of all attached groups and leaves all others.
func (g *gossip) follow() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	want := map[string]bool{}
	for _, gr := range g.talk.reg.all() {
		for _, t := range gr.topics {
			want[t] = true
		}
	}
	var errs error
	for t, j := range g.joined {
		if !want[t] {
			delete(g.joined, t)
			errs = errors.Join(errs, g.leave(t, j))
		}
	}
	for t := range want {
		if g.joined[t] == nil {
			errs = errors.Join(errs, g.join(t))
		}
	}
	return errs
}

// join registers the validator before it joins: an unvalidated message is never
// passed on.
func (g *gossip) join(name string) error {
	if err := g.ps.RegisterTopicValidator(name, g.validate,
		pubsub.WithValidatorConcurrency(validateAtOnce), pubsub.WithValidatorTimeout(validateTimeout)); err != nil {
		return fmt.Errorf("register validator: %w", err)
	}
	t, err := g.ps.Join(name)
	if err != nil {
		return errors.Join(fmt.Errorf("join topic: %w", err), g.ps.UnregisterTopicValidator(name))
	}
	sub, err := t.Subscribe(pubsub.WithBufferSize(subscriptionBuffer))
	if err != nil {
		return errors.Join(fmt.Errorf("subscribe: %w", err), t.Close(), g.ps.UnregisterTopicValidator(name))
	}
	g.joined[name] = &joined{t, sub}
	// The validator has handed every message up already.
	g.wg.Go(func() {
		for {
			if _, err := sub.Next(g.ctx); err != nil {
				return
			}
		}
	})
	return nil
}

func (g *gossip) leave(name string, j *joined) error {
	j.sub.Cancel()
	err := j.topic.Close()
	return errors.Join(err, g.ps.UnregisterTopicValidator(name))
}

// publish sends an entry to a topic. It refuses what pubsub would drop silently.
func (g *gossip) publish(ctx context.Context, name string, e *journal.Entry) error {
	if len(e.Bytes()) > journal.MaxEntrySize {
		return fmt.Errorf("publish: %w", port.RejectOversized)
	}
	g.mu.Lock()
	j := g.joined[name]
	g.mu.Unlock()
	if j == nil {
		return ErrNotAttached
	}
	if err := j.topic.Publish(ctx, e.Bytes()); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// validate takes an entry from a peer. It is handed up, and so stored, before
// it is passed on. It fails closed.
func (g *gossip) validate(ctx context.Context, p peer.ID, m *pubsub.Message) (result pubsub.ValidationResult) {
	defer func() {
		if r := recover(); r != nil {
			g.log.Error("validator failed", "problem", r)
			result = pubsub.ValidationReject
		}
	}()
	if p == g.host.ID() {
		return pubsub.ValidationAccept
	}
	from, err := AuthorOf(p)
	if err != nil {
		return pubsub.ValidationReject
	}
	err = g.talk.Take(ctx, from, m.GetTopic(), m.GetData())
	switch {
	case err == nil:
		return pubsub.ValidationAccept
	case port.IsReject(err):
		return pubsub.ValidationReject
	}
	return pubsub.ValidationIgnore
}

// close waits for the readers of subscriptions. The pubsub context must have
// ended.
func (g *gossip) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, j := range g.joined {
		delete(g.joined, name)
		j.sub.Cancel()
	}
	g.wg.Wait()
}
