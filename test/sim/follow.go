package sim

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
)

// stream is what a chain.Follower of a node has shown so far.
type stream struct {
	known   []*block // shown, oldest first
	from    int32
	watches uint64
	rescans []coordinator.WatchScripts
	seen    map[chainhash.Hash]bool // shown in the mempool
	order   []chainhash.Hash        // of seen
	caught  bool
}

// follow starts a stream from the newest block known that is in the best chain.
func (n *node) follow(x coordinator.Follow) {
	s := &stream{from: x.From, seen: map[chainhash.Hash]bool{}}
	for _, ref := range x.Known {
		s.known = append(s.known, n.w.chain.find(ref))
	}
	for _, id := range n.m.View.Sighted() {
		s.seen[id] = true
		s.order = append(s.order, id)
	}
	n.stream = s
	if again, ok := n.m.View.Unfinished(); ok {
		n.watch(coordinator.WatchScripts(again))
	}
	n.later(n.w.delay(), n.poll)
}

// find returns a block by reference, with what it holds if it is there.
func (c *chain) find(ref port.BlockRef) *block {
	if at := int(ref.Height) - 1; at < len(c.blocks) && c.blocks[at].ref.Hash == ref.Hash {
		return c.blocks[at]
	}
	return &block{ref: ref}
}

func (n *node) watch(x coordinator.WatchScripts) {
	s := n.stream
	if s == nil {
		return
	}
	s.watches++
	s.rescans = append(s.rescans, x)
	call := s.watches
	n.later(0, func() {
		if n.stream == s {
			_, _ = n.do(coordinator.Watched{Call: call})
			n.later(n.w.delay(), n.poll)
		}
	})
}

// lookBack looks for scripts in old blocks. It tells more than it was asked for,
// as a backend without filters does.
func (n *node) lookBack(x coordinator.LookBack) {
	n.w.count("looked back")
	n.later(n.w.delay(), func() {
		out := ledger.LookedBack{From: x.From, Err: errBackend}
		if blocks := n.w.chain.blocks; !n.blind && int(x.Until) <= len(blocks) {
			out.Err = nil
			for _, b := range blocks[x.From:x.Until] {
				out.End = b.ref
				if len(b.txs) > 0 {
					out.Blocks = append(out.Blocks, ledger.LookedBlock{Block: b.ref, Txs: b.txs})
				}
			}
		}
		_, _ = n.do(coordinator.LookedBackIn{Found: out})
	})
}

// poll shows what is new of the chain. Where the machine does not take a
// notice the stream ends, and begins anew from what the machine knows then.
func (n *node) poll() {
	s := n.stream
	if s == nil || n.blind {
		return
	}
	life := n.life
	for _, notice := range s.notices(n.w.chain) {
		_, err := n.do(coordinator.ChainIn{Notice: notice})
		if n.life != life || !n.up || n.stream != s {
			return
		}
		if err != nil {
			n.w.count("streams ended")
			n.stream = nil
			n.later(retryIn, func() {
				if n.stream == nil {
					n.follow(coordinator.Follow(n.m.View.Follow()))
				}
			})
			return
		}
		s.shown(notice, n.w.chain)
	}
}

// notices lists what is to be shown now.
func (s *stream) notices(c *chain) []port.ChainNotice {
	var out []port.ChainNotice
	known := s.known
	for len(known) > 0 {
		b := known[len(known)-1]
		if at := int(b.ref.Height) - 1; at < len(c.blocks) && c.blocks[at].ref.Hash == b.ref.Hash {
			break
		}
		out = append(out, port.ChainNotice{Kind: port.Disconnected, Block: b.ref})
		known = known[:len(known)-1]
	}
	next := s.from
	if len(known) > 0 {
		next = known[len(known)-1].ref.Height
	}
	for _, b := range c.blocks[min(int(next), len(c.blocks)):] {
		out = append(out, port.ChainNotice{Kind: port.Connected, Block: b.ref, Prev: b.prev, Txs: b.txs})
	}
	for _, r := range s.rescans {
		for _, b := range c.blocks[max(0, min(int(r.From)-1, len(c.blocks))):] {
			if len(b.txs) > 0 {
				out = append(out, port.ChainNotice{Kind: port.Rescanned, Block: b.ref, Prev: b.prev, Txs: b.txs})
			}
		}
	}
	var fresh []*wire.MsgTx
	for _, tx := range c.mempool {
		if !s.seen[c.id(tx)] {
			fresh = append(fresh, tx)
		}
	}
	if len(fresh) > 0 {
		out = append(out, port.ChainNotice{Kind: port.Seen, Txs: fresh})
	}
	var gone []chainhash.Hash
	for _, id := range s.order {
		if s.seen[id] && c.confirmed(id) == 0 && !slices.ContainsFunc(c.mempool, func(x *wire.MsgTx) bool { return c.id(x) == id }) {
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		out = append(out, port.ChainNotice{Kind: port.Unseen, TxIDs: gone})
	}
	if len(out) > 0 || !s.caught || len(s.rescans) > 0 {
		out = append(out, port.ChainNotice{Kind: port.CaughtUp, Watches: s.watches})
	}
	return out
}

// shown remembers what the machine took.
func (s *stream) shown(x port.ChainNotice, c *chain) {
	switch x.Kind {
	case port.Disconnected:
		s.known = s.known[:len(s.known)-1]
	case port.Connected:
		s.known = append(s.known, c.find(x.Block))
	case port.Seen:
		for _, tx := range x.Txs {
			if id := c.id(tx); !s.seen[id] {
				s.seen[id] = true
				s.order = append(s.order, id)
			}
		}
	case port.Unseen:
		for _, id := range x.TxIDs {
			delete(s.seen, id)
			s.order = slices.DeleteFunc(s.order, func(o chainhash.Hash) bool { return o == id })
		}
	case port.CaughtUp:
		s.caught, s.rescans = true, nil
	}
}

// broadcast hands a transaction to the network; the answer comes later.
func (n *node) broadcast(tx *wire.MsgTx) {
	n.w.broadcasting(n, tx)
	n.later(n.w.delay(), func() {
		err := error(errBackend)
		if !n.blind {
			err = n.w.chain.accept(tx)
		}
		_, _ = n.do(coordinator.Broadcasted{TxID: tx.TxHash(), Err: err})
		n.w.pollAll()
	})
}

// pollAll lets every node look at the chain, each at its own time.
func (w *world) pollAll() {
	for _, n := range w.nodes {
		n.later(w.delay(), n.poll)
	}
}

// mineEach lets a block come from time to time.
func (w *world) mineEach(d time.Duration) {
	w.mine()
	w.queue.after(d, func() { w.mineEach(d) })
}

func (w *world) mine() {
	all := !w.faulty || w.rng.IntN(3) > 0
	w.chain.mine(w.start.Add(w.queue.now).Unix(), func() bool { return all || w.rng.IntN(2) == 0 })
	w.pollAll()
}
