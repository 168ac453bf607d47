package follow

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
)

// TestReorgCostsARescanOnlyItsBlocks: blocks that leave near the end of a long
// scan do not begin the scan anew, nor is told again what was told.
func TestReorgCostsARescanOnlyItsBlocks(t *testing.T) {
	const blocks, from = 240, 5
	for name, at := range map[string]struct {
		height int32 // at whose n-th fetch the last blocks are replaced
		fetch  int
		depth  int
	}{"looking": {blocks - 10, 1, 40}, "telling": {blocks - 1, 2, 1}} {
		t.Run(name, func(t *testing.T) {
			s := newScript(blocks)
			var known []port.BlockRef
			for _, b := range s.blocks[blocks-50:] {
				known = append(known, b.Ref)
			}
			f, _ := begin(t, s, Options{Known: known})
			expect(t, f, port.CaughtUp, s.ref(blocks-1))
			fetched, here := 0, 0 // set while the follower waits, read after the last notice
			s.onBlock = func(height int32) {
				fetched++
				if height != at.height {
					return
				}
				if here++; here == at.fetch {
					s.change(func() { s.blocks = s.blocks[:blocks-at.depth]; s.grow(at.depth+1, 1) })
				}
			}
			if err := f.Watch(t.Context(), [][]byte{{20, 0}, {100, 0}, {blocks - 1, 0}}, from); err != nil {
				t.Fatal(err)
			}
			var again []int32
			for done := false; !done; {
				n := get(t, f.Notices())
				if n.Kind == port.Rescanned {
					again = append(again, n.Block.Height)
				}
				done = n.Kind == port.CaughtUp && n.Block == s.tipRef()
			}
			if !slices.Equal(again, []int32{20, 100}) {
				t.Errorf("blocks %v came again, want 20 and 100", again)
			}
			// Each once, the new ones twice (streamed and looked at), and what came again.
			if most := blocks - from + 2*(at.depth+1) + 5; fetched > most {
				t.Errorf("%d blocks were fetched, at most %d were needed", fetched, most)
			}
		})
	}
}

func (s *script) tipRef() port.BlockRef {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks[len(s.blocks)-1].Ref
}

// lateScript is a script that its spends show.
func lateScript(n byte) (script, witness []byte) {
	witness = []byte{txscript.OP_DATA_1, n, txscript.OP_DROP, txscript.OP_TRUE}
	program := sha256.Sum256(witness)
	return append([]byte{0, 32}, program[:]...), witness
}

// owner is what a wallet makes of the notices: which coins its scripts have.
type owner struct {
	t       rapid.TB
	chain   []port.BlockRef
	scripts map[string]bool
	pays    map[wire.OutPoint]chainhash.Hash   // a coin, and the block it is in
	spends  map[wire.OutPoint][]chainhash.Hash // a known coin's spends, by block
	again   []port.BlockRef
}

func newOwner(t rapid.TB, chain ...port.BlockRef) *owner {
	return &owner{t: t, chain: chain, scripts: map[string]bool{}, pays: map[wire.OutPoint]chainhash.Hash{}, spends: map[wire.OutPoint][]chainhash.Hash{}}
}

func (o *owner) take(n port.ChainNotice) {
	o.t.Helper()
	tip := port.BlockRef{Height: -1}
	if len(o.chain) > 0 {
		tip = o.chain[len(o.chain)-1]
	}
	switch n.Kind {
	case port.Connected:
		if len(o.chain) > 0 && (n.Prev != tip.Hash || n.Block.Height != tip.Height+1) {
			o.t.Fatalf("connected %d after %d", n.Block.Height, tip.Height)
		}
		o.chain = append(o.chain, n.Block)
		o.apply(n)
	case port.Disconnected:
		if n.Block != tip {
			o.t.Fatalf("disconnected %d, the tip is %d", n.Block.Height, tip.Height)
		}
		o.chain = o.chain[:len(o.chain)-1]
	case port.Rescanned:
		o.again = append(o.again, n.Block)
		o.apply(n)
	}
}

func (o *owner) apply(n port.ChainNotice) {
	for _, tx := range n.Txs {
		for i, out := range tx.TxOut {
			if o.scripts[string(out.PkScript)] {
				o.pays[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = n.Block.Hash
			}
		}
		for _, in := range tx.TxIn {
			if _, known := o.pays[in.PreviousOutPoint]; known {
				o.spends[in.PreviousOutPoint] = append(o.spends[in.PreviousOutPoint], n.Block.Hash)
			}
		}
	}
}

// coins are those that the best chain has and does not spend.
func (o *owner) coins(best []*Block) []wire.OutPoint {
	in := map[chainhash.Hash]bool{}
	for _, b := range best {
		in[b.Ref.Hash] = true
	}
	var out []wire.OutPoint
	for op, block := range o.pays {
		if in[block] && !slices.ContainsFunc(o.spends[op], func(h chainhash.Hash) bool { return in[h] }) {
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b wire.OutPoint) int { return slices.Compare(a.Hash[:], b.Hash[:]) })
	return out
}

// TestRescanThroughReorgs watches scripts late while blocks leave the chain in
// the middle of the scan. Whatever happens when, the wallet has the coins of
// the chain that stands in the end, and of that no block comes twice, or after
// one that is higher.
func TestRescanThroughReorgs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "blocks"), 0))
		s := newScript(rapid.IntRange(30, 120).Draw(rt, "height"))
		fill(s, r, 1)
		first := len(s.blocks) - rapid.IntRange(1, 25).Draw(rt, "known")
		var known []port.BlockRef
		for _, b := range s.blocks[first:] {
			known = append(known, b.Ref)
		}
		type cut struct{ after, depth, more int }
		var cuts []cut
		for range rapid.IntRange(0, 4).Draw(rt, "reorgs") {
			cuts = append(cuts, cut{rapid.IntRange(1, 160).Draw(rt, "after"), rapid.IntRange(1, 12).Draw(rt, "depth"), rapid.IntRange(0, 3).Draw(rt, "more")})
		}
		f, _ := begin(t, s, Options{Known: known, From: int32(first - 1)})
		defer func() { _ = f.Close() }()
		o := newOwner(rt, known...)
		o.take(expect(t, f, port.CaughtUp, s.tipRef()))
		count := 0
		s.onBlock = func(int32) {
			count++
			for i, c := range cuts {
				if c.after == count {
					s.change(func() {
						was := len(s.blocks)
						keep := max(was-c.depth, first+1) // a deeper one begins the stream anew
						s.blocks = s.blocks[:keep:keep]
						s.grow(was-keep+c.more, byte(i+1))
						fill(s, r, keep)
					})
				}
			}
		}
		var scripts [][]byte
		for n := range byte(4) {
			script, _ := lateScript(n)
			scripts = append(scripts, script)
			o.scripts[string(script)] = true
		}
		from := rapid.IntRange(1, first).Draw(rt, "from")
		if err := f.Watch(t.Context(), scripts, int32(from)); err != nil {
			rt.Fatal(err)
		}
		for done := false; !done; {
			n := get(t, f.Notices())
			o.take(n)
			done = n.Kind == port.CaughtUp && n.Watches == 1 && n.Block == s.tipRef()
		}

		truth := newOwner(rt)
		truth.scripts = o.scripts
		for _, b := range s.blocks[from:] {
			truth.take(port.ChainNotice{Kind: port.Connected, Block: b.Ref, Prev: b.Prev, Txs: b.Txs})
		}
		if got, want := o.coins(s.blocks), truth.coins(s.blocks); !slices.Equal(got, want) {
			rt.Errorf("the wallet has coins %v, the chain %v", got, want)
		}
		last := int32(0)
		for _, ref := range o.again {
			if int(ref.Height) >= len(s.blocks) || s.blocks[ref.Height].Ref != ref {
				continue // it left the chain
			}
			if ref.Height <= last {
				rt.Errorf("block %d came again after block %d", ref.Height, last)
			}
			last = ref.Height
		}
	})
}

// fill gives blocks from a height on payments to late scripts and spends of
// what blocks below paid.
func fill(s *script, r *rand.Rand, from int) {
	type coin struct {
		op wire.OutPoint
		n  byte
	}
	var coins []coin
	for _, b := range s.blocks {
		for _, tx := range b.Txs {
			for _, in := range tx.TxIn {
				coins = slices.DeleteFunc(coins, func(c coin) bool { return c.op == in.PreviousOutPoint })
			}
		}
		if int(b.Ref.Height) >= from {
			if r.IntN(6) == 0 {
				script, _ := lateScript(byte(r.IntN(4)))
				b.Txs = append(b.Txs, &wire.MsgTx{LockTime: r.Uint32(), TxOut: []*wire.TxOut{{PkScript: script}}})
			}
			if len(coins) > 0 && r.IntN(8) == 0 {
				c := coins[r.IntN(len(coins))]
				_, witness := lateScript(c.n)
				b.Txs = append(b.Txs, &wire.MsgTx{LockTime: r.Uint32(), TxIn: []*wire.TxIn{{PreviousOutPoint: c.op, Witness: wire.TxWitness{witness}}}})
				coins = slices.DeleteFunc(coins, func(x coin) bool { return x == c })
			}
		}
		for _, tx := range b.Txs {
			for i, out := range tx.TxOut {
				for n := range byte(4) {
					if script, _ := lateScript(n); string(script) == string(out.PkScript) {
						coins = append(coins, coin{wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}, n})
					}
				}
			}
		}
	}
}
