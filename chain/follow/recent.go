package follow

import (
	"encoding/binary"

	"github.com/btcsuite/btcd/wire/v2"
)

// How much is remembered of what the last blocks hold: a few more than a wallet
// looks back for a further address, and 4 million scripts of 4 bytes at most;
// 160 blocks of the main network have a quarter of that.
const (
	maxRecent = 160
	maxMarks  = 4_000_000
)

// recent knows of the blocks streamed last that they do not hold a script. One
// that is watched a little later, as a further address is with each that was
// used, needs no second look at them.
type recent struct {
	blocks []digest // heights ascend without gaps
	marks  int      // in all of them
}

// digest is what a block holds.
type digest struct {
	height int32
	shows  kinds    // of which the spends are in it
	marks  []uint32 // of scripts that were paid or spent from
}

// scriptMark takes what differs from script to script in all types that hold a
// hash or a key. Where two are alike, a block is looked at once too often.
func scriptMark(script []byte) uint32 {
	if len(script) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint32(script[4:])
}

// block is matcher.block, and remembers what the block holds.
func (r *recent) block(m *matcher, b *Block) []*wire.MsgTx {
	if len(b.Txs) == 0 {
		// It may hold anything that was not watched, and ends every way back.
		*r = recent{}
		return nil
	}
	n := 0
	for _, tx := range b.Txs {
		n += len(tx.TxOut)
	}
	d := digest{b.Ref.Height, m.shows, make([]uint32, 0, n)}
	var hits []*wire.MsgTx
	for _, tx := range b.Txs {
		if m.look(tx, &d.marks) {
			hits = append(hits, tx)
		}
	}
	r.blocks = append(r.blocks, d)
	r.marks += len(d.marks)
	for len(r.blocks) > maxRecent || r.marks > maxMarks {
		r.marks -= len(r.blocks[0].marks)
		r.blocks[0].marks = nil
		r.blocks = r.blocks[1:]
	}
	return hits
}

// disconnected forgets a block and those above it.
func (r *recent) disconnected(height int32) {
	for n := len(r.blocks); n > 0 && r.blocks[n-1].height >= height; n = len(r.blocks) {
		r.marks -= len(r.blocks[n-1].marks)
		r.blocks = r.blocks[:n-1]
	}
}

// until returns the highest block from one height to another that may hold one
// of the scripts, and less than the first where none may. Above the other
// height, nothing has been streamed.
func (r *recent) until(scripts [][]byte, from, to int32) int32 {
	var shows kinds
	var some [256]bool // most marks fail here
	wanted := map[uint32]struct{}{}
	for _, s := range scripts {
		shows |= kindOf(s)
		mark := scriptMark(s)
		some[byte(mark)] = true
		wanted[mark] = struct{}{}
	}
	for i := len(r.blocks) - 1; i >= 0 && to >= from; i-- {
		d := r.blocks[i]
		if d.height != to || shows&^d.shows != 0 {
			return to
		}
		for _, mark := range d.marks {
			if some[byte(mark)] {
				if _, ok := wanted[mark]; ok {
					return to
				}
			}
		}
		to--
	}
	return to
}
