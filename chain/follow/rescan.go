package follow

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// rescanStep is how many blocks a rescan looks at before new blocks get a turn.
const rescanStep = 32

// rescan looks for scripts in blocks that were streamed before they were
// watched. Nothing is streamed before the scan has reached the block from
// which the stream goes on, and linked to it: otherwise a reorg in between
// could show a block that was never Connected, or a coin be told of whose
// spend went by while nobody knew it.
type rescan struct {
	spans []span // until ascends
	// found are scripts that were paid where it was missed, and at which height
	// first: their spends may have been missed too.
	found      map[string]int32
	match      *matcher
	due        [3]int // what match was made for: see at
	from, next int32
	last       chainhash.Hash
	hits       []port.BlockRef
}

// span are scripts, and the streamed blocks that were not looked at for them.
type span struct {
	scripts     [][]byte
	from, until int32
}

func newRescan() *rescan {
	return &rescan{found: map[string]int32{}, match: newMatcher(), from: math.MaxInt32, next: math.MaxInt32}
}

// begun says whether no further scripts can join. A wallet that is restored
// asks for more with every address that it finds used: one scan serves them all.
func (r *rescan) begun() bool { return r.next != r.from || len(r.hits) > 0 }

func (r *rescan) add(scripts [][]byte, from, until int32) {
	r.spans = append(r.spans, span{scripts, from, until})
	r.from = min(r.from, from)
	r.next, r.due = r.from, [3]int{}
}

// at makes match hold what a block was not looked at for.
func (r *rescan) at(height int32) {
	first, _ := slices.BinarySearchFunc(r.spans, height, func(s span, h int32) int { return cmp.Compare(s.until, h) })
	due := [3]int{first, 0, len(r.found)}
	for _, s := range r.spans[first:] {
		if s.from <= height {
			due[1]++
		}
	}
	if due == r.due {
		return
	}
	m := newMatcher()
	m.outs = r.match.outs
	for s := range r.found {
		m.add([][]byte{[]byte(s)})
	}
	for _, s := range r.spans[first:] {
		if s.from <= height {
			m.add(s.scripts)
		}
	}
	r.match, r.due = m, due
}

// note remembers the scripts that a block of interest pays.
func (r *rescan) note(txs []*wire.MsgTx, height int32) {
	for _, tx := range txs {
		for _, out := range tx.TxOut {
			script := string(out.PkScript)
			if _, ok := r.match.scripts[script]; !ok {
				continue
			}
			if _, ok := r.found[script]; !ok {
				r.found[script] = height
			}
		}
	}
}

// back forgets what was seen above a block, the last one that is still in the
// chain: a scan of many blocks must not begin anew for one that left. What is
// connected in its place is streamed anyway, but for spends of what is found
// below, which nobody could know yet. Where no block is known to be left, the
// whole scan is in doubt.
func (r *rescan) back(to port.BlockRef, known bool) {
	r.due = [3]int{}
	for n := range r.spans {
		r.spans[n].until = min(r.spans[n].until, to.Height)
	}
	if r.next <= to.Height+1 {
		return
	}
	if !known || to.Height < r.from {
		r.restart()
		return
	}
	r.next, r.last = to.Height+1, to.Hash
	r.hits = slices.DeleteFunc(r.hits, func(h port.BlockRef) bool { return h.Height > to.Height })
	maps.DeleteFunc(r.found, func(_ string, height int32) bool { return height > to.Height })
}

func (r *rescan) restart() {
	r.next, r.hits = r.from, nil
	clear(r.found)
}

// rescanSome goes a step further with the first job.
func (f *Follower) rescanSome() error {
	j := f.jobs[0]
	for range rescanStep {
		if j.next > f.position().Height {
			break
		}
		if err := f.look(j); err != nil {
			return err
		}
	}
	if j.next <= f.position().Height {
		return nil
	}
	for len(j.hits) > 0 {
		if err := f.tell(j, j.hits[0]); err != nil {
			return err
		}
		j.hits = j.hits[1:]
	}
	for o := range j.match.outs {
		if len(f.match.outs) < maxOutPoints {
			f.match.outs[o] = struct{}{}
		}
	}
	f.jobs = f.jobs[1:]
	return nil
}

// tell streams a block again.
func (f *Follower) tell(j *rescan, hit port.BlockRef) error {
	b, err := f.src.Block(f.ctx, hit.Hash, hit.Height)
	if err != nil {
		// It has just left the chain. One that was streamed is disconnected next,
		// and the scan goes back; of another nobody will say so.
		if _, own := f.streamed(hit.Height); !own && errors.Is(err, ErrNoBlock) {
			j.restart()
		}
		return fmt.Errorf("get block %d: %w", hit.Height, err)
	}
	n := port.ChainNotice{Kind: port.Rescanned, Block: b.Ref, Prev: b.Prev, Txs: b.Txs}
	if err := f.send(n); err != nil {
		return err
	}
	// A stale view of the mempool must not bring them back as unconfirmed.
	f.pool.connected(b.Ref.Height, f.match.block(b))
	return nil
}

// look examines the next block of a job.
func (f *Follower) look(j *rescan) error {
	at, own := f.streamed(j.next)
	if !own {
		var err error
		at.Hash, err = f.src.HashAt(f.ctx, j.next)
		if err != nil {
			return fmt.Errorf("ask for block %d: %w", j.next, err)
		}
	}
	j.at(j.next)
	b := &Block{Ref: at.BlockRef, Prev: at.prev}
	// With nothing to look for, it is enough to know what it builds on.
	if !own || at.prev == (chainhash.Hash{}) || len(j.match.list()) > 0 {
		var err error
		b, err = f.src.fetch(f.ctx, at.Hash, j.next, j.match)
		if err != nil {
			return fmt.Errorf("get block %d: %w", j.next, err)
		}
	}
	if j.next > j.from && b.Prev != j.last {
		at := j.next
		j.restart()
		return fmt.Errorf("rescan at block %d: %w", at, ErrUnlinked)
	}
	if txs := j.match.block(b); len(txs) > 0 {
		j.hits = append(j.hits, b.Ref)
		j.note(txs, b.Ref.Height)
	}
	j.last = b.Ref.Hash
	j.next++
	return nil
}

// streamed returns a block that this follower streamed or was given: of the
// latter it does not know what it builds on.
func (f *Follower) streamed(height int32) (mark, bool) {
	// Heights ascend and end at the position without gaps, but for known blocks.
	for i := max(0, len(f.refs)-1-int(f.position().Height-height)); i < len(f.refs); i++ {
		if f.refs[i].Height >= height {
			return f.refs[i], f.refs[i].Height == height
		}
	}
	return mark{}, false
}
