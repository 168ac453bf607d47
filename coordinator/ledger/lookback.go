package ledger

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// Looking back: addresses that came to be watched late, and that may have been
// paid before the blocks looked at for them, are looked for from the birthday
// on beside the stream. Nothing waits for it: what is known stays known, and
// only these addresses may lack payments until it is done.
const (
	// LookBackEach is the least time between the end of one and the next, for
	// each lookBackBlocks that it looked at: whoever pays or hands out addresses
	// to bring it about makes this node look at no more than 2,016 old blocks a
	// day, which are 48 MB of filters.
	LookBackEach   = 24 * time.Hour
	lookBackBlocks = 2016
	// LookBackRetry is the time to the next try of one that failed.
	LookBackRetry = 10 * time.Minute
)

// Span is a range of address indexes of one branch: from, and one past the last.
type Span struct {
	_     struct{} `cbor:",toarray"`
	From  uint32
	Until uint32
}

func (a Span) empty() bool { return a.From >= a.Until }

// Join returns the least span that holds both.
func (a Span) Join(b Span) Span {
	switch {
	case a.empty():
		return b
	case b.empty():
		return a
	}
	return Span{From: min(a.From, b.From), Until: max(a.Until, b.Until)}
}

// AddressRange is a range of address indexes of one branch, both ends included.
type AddressRange struct{ Branch, First, Last uint32 }

// Incomplete returns the addresses of which old payments may not be known yet,
// at most one range of each branch. They are being looked for, or will be.
func (v View) Incomplete() []AddressRange {
	var out []AddressRange
	for branch := range v.late {
		if x := v.late[branch].Join(v.looking[branch]); !x.empty() {
			out = append(out, AddressRange{uint32(branch), x.From, x.Until - 1})
		}
	}
	return out
}

// Look is what is looked for: scripts, in the blocks above one height and up to
// another.
type Look struct {
	Scripts [][]byte
	From    int32
	Until   int32
}

// LookedBack is what came of a Look: the blocks with transactions that pay the
// scripts, or spend what did, and the last block looked at.
type LookedBack struct {
	Blocks []LookedBlock
	End    port.BlockRef
	From   int32
	Err    error
}

// LookedBlock is a block with those of its transactions that are of interest.
type LookedBlock struct {
	Block port.BlockRef
	Txs   []*wire.MsgTx
}

// Late notes addresses of a branch that must be looked for in old blocks.
func (v View) Late(branch uint32, x Span) View {
	v.late[branch] = v.late[branch].Join(x)
	return v
}

// LookBack begins to look for what is due, where something is and the chain is
// caught up with.
func (v View) LookBack(now time.Time) (View, Look, bool) {
	if v.late == [2]Span{} || v.looking != [2]Span{} || !v.Synced() || now.Unix() < v.lookNext {
		return v, Look{}, false
	}
	v.late, v.looking = [2]Span{}, v.late
	x := Look{From: v.birthday, Until: v.tip.Height}
	// All watched scripts are gone through, but once a day at most.
	for script, at := range v.scripts.All() {
		if l := v.looking[at.Branch]; at.Index >= l.From && at.Index < l.Until {
			x.Scripts = append(x.Scripts, []byte(script))
		}
	}
	return v, x, true
}

// LookedBack takes what was found, all of it at once: a coin is not known before
// its spend. asked says that something was being looked for, found that it was
// looked for in the chain that this view follows; else it is tried again.
func (v View) LookedBack(x LookedBack, now time.Time) (next View, asked, found bool) {
	if v.looking == [2]Span{} {
		return v, false, false
	}
	looking := v.looking
	v.looking = [2]Span{}
	if x.Err != nil || !v.holds(x) {
		for branch := range v.late {
			v.late[branch] = v.late[branch].Join(looking[branch])
		}
		v.lookNext = now.Add(LookBackRetry).Unix()
		return v, true, false
	}
	for _, b := range x.Blocks {
		v, _ = v.Rescan(b.Block, b.Txs)
	}
	blocks := max(lookBackBlocks, int64(x.End.Height)-int64(x.From))
	v.lookNext = now.Unix() + int64(LookBackEach.Seconds())*blocks/lookBackBlocks
	return v, true, true
}

// holds says whether what was looked at is of the chain that this view follows:
// of blocks that are kept the hash must be the same; of those before, only a
// reorg that begins everything anew could change one.
func (v View) holds(x LookedBack) bool {
	known := map[int32]chainhash.Hash{}
	for _, b := range v.blocks {
		known[b.Height] = b.Hash
	}
	ok := func(b port.BlockRef) bool {
		hash, kept := known[b.Height]
		return len(v.blocks) > 0 && (kept && hash == b.Hash || b.Height < v.blocks[0].Height)
	}
	for _, b := range x.Blocks {
		if !ok(b.Block) {
			return false
		}
	}
	return ok(x.End)
}
