package p2p

import (
	"sync"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/journal"
)

const (
	maxAnnouncements = 64 // in one message
	maxDropped       = 64 // remembered of one peer
)

// subscriptions is pubsub's subscription filter: only members of a topic's
// group are on it. A peer announces a topic once, so an announcement that came
// before this node opened the topic, or knew the member, is remembered: the
// connection has to be made anew for it to count.
type subscriptions struct {
	reg     *registry
	mu      sync.Mutex
	dropped map[journal.Author]map[string]bool
}

func newSubscriptions(reg *registry) *subscriptions {
	return &subscriptions{reg: reg, dropped: map[journal.Author]map[string]bool{}}
}

// CanSubscribe says whether the topic is of an attached group.
func (s *subscriptions) CanSubscribe(topic string) bool { return s.reg.ofTopic(topic) != nil }

// FilterIncomingSubscriptions keeps what members announce of their own groups.
func (s *subscriptions) FilterIncomingSubscriptions(p peer.ID, subs []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	if len(subs) > maxAnnouncements {
		return nil, pubsub.ErrTooManySubscriptions
	}
	a, err := AuthorOf(p)
	if err != nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Under the lock: revived sees either the announcement or the attached topic.
	ok := map[string]bool{}
	for _, sub := range subs {
		t := sub.GetTopicid()
		if s.reg.onTopic(t, a) != nil {
			ok[t] = true
		} else {
			s.drop(a, t, sub.GetSubscribe())
		}
	}
	return pubsub.FilterSubscriptions(subs, func(t string) bool { return ok[t] }), nil
}

func (s *subscriptions) drop(a journal.Author, topic string, on bool) {
	if !s.reg.member(a) || len(topic) > 2*maxAnnouncements {
		return
	}
	m := s.dropped[a]
	switch {
	case !on:
		delete(m, topic)
	case m == nil:
		s.dropped[a] = map[string]bool{topic: true}
	case len(m) < maxDropped:
		m[topic] = true
	}
}

// revived returns the peers whose dropped announcements would count now.
func (s *subscriptions) revived() []journal.Author {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[journal.Author]bool{}
	for a, topics := range s.dropped {
		for t := range topics {
			if s.reg.onTopic(t, a) != nil {
				out[a] = true
			}
		}
	}
	return sortedAuthors(out)
}

// gone forgets what a peer announced, with its last connection.
func (s *subscriptions) gone(a journal.Author) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.dropped, a)
}
