package p2p

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Limits of one Attach. A group has at most 20 keys; hosted members, observers
// and replaced devices leave room.
const (
	maxMembers = 128
	maxTopics  = 16
)

var (
	// ErrNotAttached is returned for a group that no Attach opened.
	ErrNotAttached = errors.New("group is not open on this transport")
	// ErrLink is returned by Attach for a link that cannot be right.
	ErrLink = errors.New("impossible group link")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("transport is closed")
)

// group is one attached group. It is never changed; Attach makes a new one.
type group struct {
	id      journal.GroupID
	topics  []string
	members map[journal.Author]bool
	inbox   port.Inbox
	flow    *flow
}

// registry knows which peer is in which group. Everything that decides whether
// to talk to a peer asks it.
type registry struct {
	self journal.Author

	mu     sync.RWMutex
	groups map[journal.GroupID]*group
	topics map[string]*group
	union  map[journal.Author]bool
}

func newRegistry(self journal.Author) *registry {
	return &registry{
		self:   self,
		groups: map[journal.GroupID]*group{},
		topics: map[string]*group{},
		union:  map[journal.Author]bool{},
	}
}

// attach opens or changes a group. It returns the group and who left it.
func (r *registry) attach(l port.GroupLink, in port.Inbox) (*group, []journal.Author, error) {
	if in == nil || len(l.Topics) == 0 || len(l.Topics) > maxTopics || len(l.Members) > maxMembers {
		return nil, nil, ErrLink
	}
	g := &group{
		id:      l.Group,
		topics:  slices.Clone(l.Topics),
		members: map[journal.Author]bool{},
		inbox:   in,
	}
	for _, m := range l.Members {
		if _, err := PeerID(m); err != nil {
			return nil, nil, err
		}
		g.members[m] = true
	}
	if !g.members[r.self] {
		return nil, nil, ErrLink
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range g.topics {
		if other := r.topics[t]; other != nil && other.id != g.id {
			return nil, nil, ErrLink
		}
	}
	var left []journal.Author
	old := r.groups[g.id]
	if old != nil {
		g.flow = old.flow
		for m := range old.members {
			if !g.members[m] {
				left = append(left, m)
			}
		}
	} else {
		g.flow = newFlow()
	}
	r.groups[g.id] = g
	r.rebuild()
	return g, left, nil
}

// detach closes a group and returns its members but this node.
func (r *registry) detach(id journal.GroupID) (*group, []journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.groups[id]
	if g == nil {
		return nil, nil
	}
	delete(r.groups, id)
	r.rebuild()
	var left []journal.Author
	for m := range g.members {
		if m != r.self {
			left = append(left, m)
		}
	}
	return g, left
}

func (r *registry) rebuild() {
	r.topics = map[string]*group{}
	r.union = map[journal.Author]bool{}
	for _, g := range r.groups {
		for _, t := range g.topics {
			r.topics[t] = g
		}
		for m := range g.members {
			if m != r.self {
				r.union[m] = true
			}
		}
	}
}

func (r *registry) get(id journal.GroupID) *group {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.groups[id]
}

// authorized returns the group if the peer is a member of it, and nil if not or
// if there is no such group: the two cannot be told apart from outside.
func (r *registry) authorized(id journal.GroupID, p journal.Author) *group {
	g := r.get(id)
	if g == nil || p == r.self || !g.members[p] {
		return nil
	}
	return g
}

// member says whether a peer is in any group.
func (r *registry) member(p journal.Author) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.union[p]
}

// onTopic returns the group of a topic if the peer is a member of it.
func (r *registry) onTopic(topic string, p journal.Author) *group {
	r.mu.RLock()
	g := r.topics[topic]
	r.mu.RUnlock()
	if g == nil || !g.members[p] {
		return nil
	}
	return g
}

// ofTopic returns the group of a topic, or nil.
func (r *registry) ofTopic(topic string) *group {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.topics[topic]
}

// members returns everybody in any group but this node, sorted.
func (r *registry) members() []journal.Author {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return sortedAuthors(r.union)
}

// shared returns the groups that a peer is in.
func (r *registry) shared(p journal.Author) []*group {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*group
	for _, g := range r.groups {
		if g.members[p] {
			out = append(out, g)
		}
	}
	return out
}

func (r *registry) all() []*group {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]*group, 0, len(r.groups))
	for _, g := range r.groups {
		out = append(out, g)
	}
	return out
}

func sortedAuthors(set map[journal.Author]bool) []journal.Author {
	out := make([]journal.Author, 0, len(set))
	for a := range set {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) })
	return out
}
