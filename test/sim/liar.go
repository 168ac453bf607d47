package sim

import (
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// liar is a member who does what it likes.
type liar struct{ n *node }

func newLiar(n *node) *liar { return &liar{n: n} }

func (l *liar) claim(*node) coordinator.Claim { return l.n.trueClaim() }

func (l *liar) serveRange(_ *node, k journal.ChainKey, seq uint64, limit int) []*journal.Entry {
	return rangeOf(l.n.disk.chains[k], seq, limit)
}

func (l *liar) serveEntry(_ *node, id journal.EntryID) *journal.Entry { return l.n.disk.entries[id] }

func lies() []weighted { return []weighted{{"nothing", 1}} }

func (w *world) lie(*node, Action) {}
