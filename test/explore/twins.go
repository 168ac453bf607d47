package explore

import (
	"fmt"
	"slices"
)

// twin is a node that was taken for another, since their digests are the same.
type twin struct{ of, node *node }

const (
	twinsEach = 50   // of so many that are taken for another one is kept
	mostTwins = 1000 // of a walk
)

// same notes now and then that a node was taken for another.
func (s *setting) same(old *node, n node) {
	s.merged++
	if s.merged%twinsEach != 0 || len(s.twins) >= mostTwins {
		return
	}
	n.number, n.member, n.outcomes = old.number, old.member, map[occasion]*outcome{}
	s.look(&n, "")
	s.twins = append(s.twins, twin{old, &n})
}

// compare has each twin take what the other took: the same must come of it, or
// the walk left out states for want of telling two nodes apart.
func (s *setting) compare() (turns int, err error) {
	for _, x := range s.twins {
		for at, was := range x.of.outcomes {
			turns++
			if now := s.turn(x.node, at); now.node != was.node || !slices.Equal(now.effects, was.effects) || (now.err == nil) != (was.err == nil) {
				return turns, violation("two nodes of %s are told apart by nothing but what comes of %v: %s", s.Members[x.node.member].Name, at, differ(was, now))
			}
		}
	}
	return turns, nil
}

// differ says what differs in what came of a message.
func differ(a, b *outcome) string {
	if a.node == nil || b.node == nil || a.node == b.node {
		return fmt.Sprintf("nodes %v and %v, effects %v and %v, errors %v and %v", a.node != nil, b.node != nil, a.effects, b.effects, a.err, b.err)
	}
	return fmt.Sprintf("\n%s\n%s", a.node.told(a.node.member), b.node.told(b.node.member))
}
