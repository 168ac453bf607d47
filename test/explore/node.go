package explore

import (
	"context"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// node is one member at one moment: its machine and what is on its disk, and what
// comes of each message that it takes. It is never changed but for that memory.
type node struct {
	m       coordinator.Machine
	disk    disk
	running bool // since it was loaded it was told to start

	number    uint32
	member    int
	says      group.Digest
	held      []uint32 // entries of the walk, by their numbers
	proposals []proposal
	signed    []chainhash.Hash // what the guard on the disk holds
	outcomes  map[occasion]*outcome
	repeated  bool // each entry that it holds was handed to it once more, and changed nothing
}

// proposal is one as a node sees it.
type proposal struct {
	*group.Proposal
	entry  uint32
	status group.Status
	final  bool
	keys   int  // that signed all of it
	own    bool // this node's key is among those that signed any of it
}

// proposal returns what a node makes of one, nil where it makes nothing.
func (n *node) proposal(entry uint32) *proposal {
	for k := range n.proposals {
		if n.proposals[k].entry == entry {
			return &n.proposals[k]
		}
	}
	return nil
}

// links says whether a node holds the entry before one.
func (n *node) links(e entry) bool {
	h := e.e.Header()
	return h.Seq == 1 || n.m.State.Chains().Has(h.Prev)
}

// alike says whether two nodes of a member say the same: one may have stored what
// the other stores with what comes next.
func (n *node) alike(x *node) bool {
	return n.says == x.says && slices.Equal(n.held, x.held) && slices.Equal(n.signed, x.signed) &&
		slices.EqualFunc(n.proposals, x.proposals, func(a, b proposal) bool {
			return a.entry == b.entry && a.status == b.status && a.final == b.final && a.keys == b.keys
		})
}

// unmoved says whether each entry that a node holds, handed to it once more,
// leaves it the same node.
func (n *node) unmoved() bool {
	return !slices.ContainsFunc(n.held, func(e uint32) bool {
		o := n.outcomes[occasion{call{entryIn, e}, false}]
		return o == nil || o.node != n
	})
}

// node returns the one node of what a machine and a disk make of a member, and
// holds it against the rules where it is new. text says what its last message was.
func (s *setting) node(i int, n node, text string) (*node, error) {
	var err error
	if n.says, err = n.m.State.Digest(); err != nil {
		return nil, violation("%s: digest: %v", s.Members[i].Name, err)
	}
	digest := journal.H("node", n.told(i))
	if old, ok := s.nodeOf[digest]; ok {
		s.same(old, n)
		return old, nil
	}
	n.number, n.member, n.outcomes = uint32(len(s.every)), i, map[occasion]*outcome{}
	s.look(&n, text)
	s.nodeOf[digest] = &n
	s.every = append(s.every, &n)
	if !s.honest(i) {
		return &n, nil
	}
	if err = s.check(&n); err == nil && n.running {
		err = s.reloaded(&n)
	}
	return &n, err
}

// told is what tells a node of a member from others.
func (n *node) told(i int) []byte {
	raw := fmt.Appendf(nil, "%d entries %x secrets %x says %x disk %x ", i, n.says.Entries, n.says.Secrets, n.says.Says, n.disk.sum)
	v := n.m.View
	tip := v.Tip()
	raw = fmt.Appendf(raw, "tip %x running %v synced %v watched %v used %d %d ", tip.Hash, n.running, v.Synced(), v.Watched(), v.Used(0), v.Used(1))
	from, near, taken, call := v.Again()
	raw = fmt.Appendf(raw, "again from %d %d, taken %v as %d, unsaved %d ", from, near, taken, call, n.m.Unsaved())
	for id, t := range v.Txs() {
		// One transaction may have been seen with other members' signatures.
		raw = fmt.Appendf(raw, "%x as %x in %x seen %v ", id, t.Tx.WitnessHash(), t.Block.Hash, t.Seen)
	}
	for id := range v.Changed() { // and not stored yet
		raw = fmt.Appendf(raw, "%x ", id)
	}
	return raw
}

// load returns what a start makes of what is on a node's disk.
func (s *setting) load(n *node) (*node, error) {
	k := journal.H("disk of", []byte{byte(n.member)}, n.disk.sum[:])
	if old := s.loaded[k]; old != nil {
		return old, nil
	}
	next := node{disk: n.disk}
	m, err := coordinator.Load(context.Background(), &next.disk, s.Members[n.member].Self, s.Group)
	if err != nil {
		return nil, violation("%s does not start again: %v", s.Members[n.member].Name, err)
	}
	next.m = m
	out, err := s.node(n.member, next, "")
	if err == nil {
		s.loaded[k] = out
	}
	return out, err
}

// look notes what is asked of a node often.
func (s *setting) look(n *node, text string) {
	n.held, n.proposals, n.signed, n.repeated = nil, nil, nil, false
	for _, e := range n.disk.entries.All() {
		if id := e.ID(); !s.ids[id] {
			n.held = append(n.held, s.know(e, text))
		}
	}
	slices.Sort(n.held)
	for _, g := range n.disk.guard.All() {
		if !slices.Contains(n.signed, g.TxID) {
			n.signed = append(n.signed, g.TxID)
		}
	}
	for _, p := range n.m.Proposals() {
		x := proposal{Proposal: p, entry: s.entryOf[p.Ref.ID], status: group.Derive(n.m.State, n.m.View, s.Now, p), final: n.m.State.Final(p)}
		for _, g := range n.m.Approvals(p) {
			if g.Signatures == len(p.Body.Inputs) {
				x.keys++
			}
			x.own = x.own || g.Member.Identity == s.self(n.member).Author
		}
		n.proposals = append(n.proposals, x)
	}
	slices.SortFunc(n.proposals, func(a, b proposal) int { return int(a.entry) - int(b.entry) })
}
