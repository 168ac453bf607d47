package explore

import (
	"fmt"
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/test/sim"
)

// most is how many members a group has that is walked.
const most = 3

// left is how much may still happen.
type left struct {
	Propose, Replace, Reject, Withdraw, Crash, Block, Reorg, Fork uint8
}

// state is a state of the group, by the numbers of its parts: two with the same
// are one, however they came about.
type state struct {
	nodes [most]uint32
	chain uint32
	loose uint32
	left  left
}

// setting is what all states of one walk have in common, and has each of their
// parts once.
type setting struct {
	sim.Ready
	liar  bool // the last member may fork its chain
	apart bool // each signer is another process

	ids     map[journal.EntryID]bool // of the entries before the walk
	every   []*node
	nodeOf  map[[32]byte]*node
	loaded  map[[32]byte]*node // what a start makes of a disk
	entries []entry
	entryOf map[journal.EntryID]uint32
	txs     []transaction
	txOf    map[chainhash.Hash]uint32
	blocks  []block
	base    uint32 // blocks before the walk
	blockOf map[chainhash.Hash]uint32
	chains  []chain
	chainOf map[string]uint32
	turns   int // that were worked out
	merged  int // nodes that were taken for another
	twins   []twin
}

func (s *setting) members() int { return len(s.Members) }

// honest says whether a member keeps to the protocol.
func (s *setting) honest(i int) bool { return !s.liar || i < s.members()-1 }

// self is the chain of a member.
func (s *setting) self(i int) journal.ChainKey {
	return journal.ChainKey{Author: s.Members[i].Self.Identity.Author(), Incarnation: 1}
}

// world is a state that is worked on.
type world struct {
	*setting
	nodes [most]*node
	chain chain
	loose uint32 // the liar's second entry, and one more; 0 while there is none
	left  left
}

// each yields the nodes, by member.
func (w *world) each() iter.Seq2[int, *node] {
	return func(yield func(int, *node) bool) {
		for i := range w.members() {
			if !yield(i, w.nodes[i]) {
				return
			}
		}
	}
}

// begin returns the first state.
func begin(s *setting, l left) (*world, error) {
	s.ids, s.entryOf = map[journal.EntryID]bool{}, map[journal.EntryID]uint32{}
	s.nodeOf, s.loaded = map[[32]byte]*node{}, map[[32]byte]*node{}
	s.txOf, s.blockOf, s.chainOf = map[chainhash.Hash]uint32{}, map[chainhash.Hash]uint32{}, map[string]uint32{}
	w := &world{setting: s, left: l}
	for n, b := range s.Blocks {
		x := block{ref: b.Ref, prev: b.Prev}
		for _, tx := range b.Txs {
			x.txs = append(x.txs, uint32(len(s.txs)))
			s.txs = append(s.txs, transaction{id: tx.TxHash(), tx: tx})
		}
		s.blocks, s.blockOf[b.Ref.Hash] = append(s.blocks, x), uint32(n)
	}
	s.base = uint32(len(s.blocks))
	if s.members() > most {
		return w, fmt.Errorf("%d members are too many", s.members())
	}
	for i, m := range s.Members {
		n := node{m: m.Machine}
		for _, e := range m.Entries {
			n.disk.add(e)
			s.ids[e.ID()] = true
		}
		for k, v := range m.Records {
			n.disk.put(k, v)
		}
		var err error
		if w.nodes[i], err = s.node(i, n, ""); err != nil {
			return w, err
		}
	}
	for i := range w.each() {
		if err := w.restart(i); err != nil {
			return w, err
		}
	}
	return w, nil
}

// state returns the numbers of what a world has.
func (w *world) state() state {
	x := state{loose: w.loose, left: w.left}
	for i, n := range w.each() {
		x.nodes[i] = n.number
	}
	if w.chain.number == 0 {
		k := w.chain.key()
		if w.chain.number = w.chainOf[k]; w.chain.number == 0 {
			w.chain.number = uint32(len(w.chains) + 1)
			w.chainOf[k] = w.chain.number
			w.chains = append(w.chains, w.chain)
		}
	}
	x.chain = w.chain.number
	return x
}

// open returns the world of a state.
func (s *setting) open(x state) world {
	w := world{setting: s, chain: s.chains[x.chain-1], loose: x.loose, left: x.left}
	for i := range s.members() {
		w.nodes[i] = s.every[x.nodes[i]]
	}
	return w
}

// broken is a rule that does not hold.
type broken struct{ what string }

func (b *broken) Error() string { return b.what }

func violation(format string, args ...any) error { return &broken{fmt.Sprintf(format, args...)} }
