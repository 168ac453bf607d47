package follow

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
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
	// found are scripts that were paid where it was missed: their spends may
	// have been missed too.
	found      map[string]struct{}
	match      *matcher
	due        [3]int // what match was made for: see at
	from, next int32
	last       chainhash.Hash
	hits       []coordinator.BlockRef
}

// span are scripts, and the streamed blocks that were not looked at for them.
type span struct {
	scripts     [][]byte
	from, until int32
}

func newRescan() *rescan {
	return &rescan{found: map[string]struct{}{}, match: newMatcher(), from: math.MaxInt32, next: math.MaxInt32}
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
func (r *rescan) note(txs []*wire.MsgTx) {
	for _, tx := range txs {
		for _, out := range tx.TxOut {
			if _, ok := r.match.scripts[string(out.PkScript)]; ok {
				r.found[string(out.PkScript)] = struct{}{}
			}
		}
	}
}

// disconnected starts the scan again if it looked at the block; what is
// connected in its place is streamed anyway.
func (r *rescan) disconnected(height int32) {
	r.due = [3]int{}
	for n := range r.spans {
		r.spans[n].until = min(r.spans[n].until, height-1)
	}
	if height < r.next {
		r.restart()
	}
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
		b, err := f.src.Block(f.ctx, j.hits[0].Hash, j.hits[0].Height)
		if err != nil {
			if errors.Is(err, ErrNoBlock) {
				j.restart() // it has just left the chain, and was perhaps never streamed
			}
			return fmt.Errorf("get block %d: %w", j.hits[0].Height, err)
		}
		n := coordinator.ChainNotice{Kind: coordinator.Rescanned, Block: b.Ref, Prev: b.Prev, Txs: b.Txs}
		if err := f.send(n); err != nil {
			return err
		}
		// A stale view of the mempool must not bring them back as unconfirmed.
		f.pool.connected(b.Ref.Height, f.match.block(b))
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

// look examines the next block of a job.
func (f *Follower) look(j *rescan) error {
	hash, own := f.streamed(j.next)
	if !own {
		var err error
		hash, err = f.src.HashAt(f.ctx, j.next)
		if err != nil {
			return fmt.Errorf("ask for block %d: %w", j.next, err)
		}
	}
	j.at(j.next)
	b, err := fetch(f.ctx, f.src, hash, j.next, j.match)
	if err != nil {
		return fmt.Errorf("get block %d: %w", j.next, err)
	}
	if j.next > j.from && b.Prev != j.last {
		at := j.next
		j.restart()
		return fmt.Errorf("rescan at block %d: %w", at, ErrUnlinked)
	}
	if txs := j.match.block(b); len(txs) > 0 {
		j.hits = append(j.hits, b.Ref)
		j.note(txs)
	}
	j.last = b.Ref.Hash
	j.next++
	return nil
}

// streamed returns the hash of a block that this follower streamed or was given.
func (f *Follower) streamed(height int32) (chainhash.Hash, bool) {
	// Heights ascend and end at the position without gaps, but for known blocks.
	for i := max(0, len(f.refs)-1-int(f.position().Height-height)); i < len(f.refs); i++ {
		if f.refs[i].Height >= height {
			return f.refs[i].Hash, f.refs[i].Height == height
		}
	}
	return chainhash.Hash{}, false
}
