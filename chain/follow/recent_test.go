package follow

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
)

// TestNoSecondLook: for a script that is watched a little later no block is
// fetched again but those which may hold it, and what lies between them and the tip.
func TestNoSecondLook(t *testing.T) {
	s := newScript(200)
	first, later := outputs(1)["wsh"], outputs(2)["wsh"]
	s.blocks[190].Txs = append(s.blocks[190].Txs, &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: outputs(3)["wsh"].script}}})
	times := map[int32]int{} // by one goroutine, read after a notice
	s.onBlock = func(height int32) { times[height]++ }
	f, _ := begin(t, s, Options{Scripts: [][]byte{first.script}})
	for height := 1; height < 200; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(199))
	if err := f.Watch(t.Context(), [][]byte{later.script}, 199-144); err != nil {
		t.Fatal(err)
	}
	if n := expect(t, f, port.CaughtUp, s.ref(199)); n.Watches != 1 {
		t.Errorf("caught up with %d calls", n.Watches)
	}
	for height := range int32(199) {
		if times[height+1] != 1 {
			t.Errorf("block %d was fetched %d times", height+1, times[height+1])
		}
	}
	if err := f.Watch(t.Context(), [][]byte{outputs(3)["wsh"].script}, 199-144); err != nil {
		t.Fatal(err)
	}
	expect(t, f, port.Rescanned, s.ref(190))
	expect(t, f, port.CaughtUp, s.ref(199))
}

// TestNothingLeftToLookFor: a scan that found nothing goes on to the tip
// without fetching a block.
func TestNothingLeftToLookFor(t *testing.T) {
	s := newScript(100)
	fetched := map[int32]int{} // by one goroutine, read after a notice
	s.onBlock = func(height int32) { fetched[height]++ }
	f, _ := begin(t, s, Options{})
	for height := 1; height < 100; height++ {
		expect(t, f, port.Connected, s.ref(height))
		if height == 20 {
			// Its mark is that of every block here: nothing is known of it.
			if err := f.Watch(t.Context(), [][]byte{{200, 200}}, 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect(t, f, port.CaughtUp, s.ref(99))
	for height := int32(1); height < 100; height++ {
		// Two blocks may be on their way when it is asked for, and one in hand.
		if n := fetched[height]; n != 1 && (n != 2 || height < 10 || height > 24) {
			t.Errorf("block %d was fetched %d times", height, n)
		}
	}
	if fetched[10] != 2 || fetched[20] != 2 {
		t.Error("the blocks that went by were not looked at")
	}
}

// TestSecondLookAfterReorg: what is known of a block goes with it.
func TestSecondLookAfterReorg(t *testing.T) {
	s := newScript(20)
	one, two, three := outputs(1)["wsh"].script, outputs(2)["wsh"].script, outputs(3)["wsh"].script
	pay := func(script []byte) *wire.MsgTx { return &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: script}}} }
	s.blocks[15].Txs = append(s.blocks[15].Txs, pay(two))
	fetched := 0 // by one goroutine, read after a notice
	s.onBlock = func(int32) { fetched++ }
	f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(5)}, Scripts: [][]byte{one}})
	for height := 6; height < 20; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(19))
	left := slices.Clone(s.blocks)
	s.change(func() {
		s.blocks = s.blocks[:12]
		s.grow(10, 1)
		s.blocks[16].Txs = append(s.blocks[16].Txs, pay(three))
	})
	for height := 19; height >= 12; height-- {
		expect(t, f, port.Disconnected, left[height].Ref)
	}
	for height := 12; height < 22; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(21))
	for _, c := range []struct {
		script  []byte
		at      int
		fetched int
	}{{two, 0, 0}, {three, 16, 17}} { // from 6 to 21, and the one that holds it once more
		fetched = 0
		if err := f.Watch(t.Context(), [][]byte{c.script}, 6); err != nil {
			t.Fatal(err)
		}
		if c.at > 0 {
			expect(t, f, port.Rescanned, s.ref(c.at))
		}
		expect(t, f, port.CaughtUp, s.ref(21))
		if fetched != c.fetched {
			t.Errorf("%d blocks were fetched, want %d", fetched, c.fetched)
		}
	}
}

// TestMarksOfOwnTransactions: what else a transaction of the wallet spends is
// remembered too.
func TestMarksOfOwnTransactions(t *testing.T) {
	one, two := outputs(1)["wsh"], outputs(2)["wsh"]
	pay := &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: one.script}}}
	for name, tx := range map[string]*wire.MsgTx{
		"pays":   {TxIn: []*wire.TxIn{&two.in}, TxOut: pay.TxOut},
		"spends": {TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: pay.TxHash()}, Witness: one.in.Witness}, &two.in}},
	} {
		var r recent
		m := newMatcher()
		m.add([][]byte{one.script})
		m.tx(pay)
		if hits := r.block(m, &Block{Txs: []*wire.MsgTx{tx}}); len(hits) != 1 {
			t.Errorf("%s: %d hits", name, len(hits))
		}
		if got := r.until([][]byte{two.script}, 0, 0); got != 0 {
			t.Errorf("%s: passed over", name)
		}
	}
}

// TestSecondLookWhereUnknown: of blocks that came without transactions, or too
// long ago, nothing is known.
func TestSecondLookWhereUnknown(t *testing.T) {
	script := [][]byte{outputs(2)["tr"].script}
	block := func(height int32, txs ...*wire.MsgTx) *Block {
		return &Block{Ref: port.BlockRef{Height: height}, Txs: txs}
	}
	other := &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: outputs(1)["wsh"].script}}}
	var r recent
	m := newMatcher()
	for height := range int32(10) {
		r.block(m, block(height, other))
	}
	if got := r.until(script, 0, 9); got >= 0 {
		t.Errorf("all is known: look until %d", got)
	}
	if got := r.until(script, 0, 10); got != 10 {
		t.Errorf("a block that was not seen: look until %d", got)
	}
	r.block(m, block(10))
	if got := r.until(script, 0, 10); got != 10 {
		t.Errorf("a block without transactions: look until %d", got)
	}
	if len(r.blocks) > 0 || r.marks > 0 {
		t.Errorf("%d blocks with %d marks are kept, of no use", len(r.blocks), r.marks)
	}
	r.block(m, block(11, other))
	if got := r.until(script, 0, 11); got != 10 {
		t.Errorf("after a block without transactions: look until %d", got)
	}
	for height := int32(12); height < 2*maxRecent; height++ {
		r.block(m, block(height, other))
	}
	if got := r.until(script, 0, 2*maxRecent-1); got != maxRecent-1 || len(r.blocks) != maxRecent || r.marks != maxRecent {
		t.Errorf("look until %d; %d blocks with %d marks are kept", got, len(r.blocks), r.marks)
	}
	full := &wire.MsgTx{TxOut: slices.Repeat(other.TxOut, maxMarks/2-1)}
	r.block(m, block(2*maxRecent, full))
	r.block(m, block(2*maxRecent+1, full))
	r.block(m, block(2*maxRecent+2, full))
	if len(r.blocks) != 2 || r.marks > maxMarks {
		t.Errorf("%d blocks with %d marks are kept", len(r.blocks), r.marks)
	}
	r.disconnected(2*maxRecent + 2)
	if len(r.blocks) != 1 || r.marks != len(full.TxOut) {
		t.Errorf("%d blocks with %d marks are left", len(r.blocks), r.marks)
	}
}

// TestNothingIsPassedOver: no block above the one up to which it must be looked
// pays a script or shows one that is spent from; and the answers of the matcher
// are those without a memory.
func TestNothingIsPassedOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, same := newMatcher(), newMatcher()
		var r recent
		var held [][][]byte // of each block
		var all [][]byte
		for height := range int32(rapid.IntRange(1, 6).Draw(t, "blocks")) {
			if len(all) > 0 && rapid.Bool().Draw(t, "watch") {
				s := [][]byte{rapid.SampledFrom(all).Draw(t, "script")}
				m.add(s)
				same.add(s)
			}
			b := &Block{Ref: port.BlockRef{Height: height}}
			var scripts [][]byte
			for n := range rapid.IntRange(1, 3).Draw(t, "txs") {
				tx := &wire.MsgTx{LockTime: uint32(n)}
				for range rapid.IntRange(1, 3).Draw(t, "inputs") {
					in := drawInput(t)
					tx.TxIn = append(tx.TxIn, in)
					if s := plain(in); s != nil {
						scripts = append(scripts, s)
					}
				}
				paid := outputs(byte(rapid.IntRange(0, 3).Draw(t, "n paid")))[rapid.SampledFrom(kindNames).Draw(t, "paid")].script
				tx.TxOut = append(tx.TxOut, &wire.TxOut{PkScript: paid})
				scripts = append(scripts, paid)
				b.Txs = append(b.Txs, tx)
			}
			if got, want := r.block(m, b), same.block(b); !slices.Equal(got, want) {
				t.Fatalf("%d hits, want %d", len(got), len(want))
			}
			held = append(held, scripts)
			all = append(all, scripts...)
		}
		script := rapid.SampledFrom(all).Draw(t, "later")
		top := int32(len(held) - 1)
		from := int32(rapid.IntRange(0, int(top)).Draw(t, "from"))
		until := r.until([][]byte{script}, from, top)
		for height := max(until+1, from); height <= top; height++ {
			if slices.ContainsFunc(held[height], func(s []byte) bool { return bytes.Equal(s, script) }) {
				t.Fatalf("block %d holds it: look until %d", height, until)
			}
		}
	})
}
