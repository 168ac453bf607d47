package core

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/wallet"
)

// ids is a mempool's list of n ids, of which each comes again times. peak is the
// most that was in use while it was read.
type ids struct {
	n, again int
	buf      bytes.Buffer
	next     int
	peak     uint64
}

func (r *ids) Read(p []byte) (int, error) {
	if r.next == 0 {
		r.buf.WriteString(`{"result":[`)
	}
	for r.buf.Len() < len(p) && r.next < r.n*r.again {
		if r.next > 0 {
			r.buf.WriteByte(',')
		}
		_, _ = fmt.Fprintf(&r.buf, `"%064x"`, r.next%r.n)
		if r.next++; r.next == r.n*r.again {
			r.buf.WriteString(`],"error":null,"id":1}`)
		}
		if r.next%20_000 == 0 {
			r.peak = max(r.peak, inUse())
		}
	}
	if r.buf.Len() == 0 {
		return 0, io.EOF
	}
	return r.buf.Read(p)
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestListIsBounded: a tenth of the longest list, which takes a tenth.
func TestListIsBounded(t *testing.T) {
	const most = poolTxs / 10
	before := inUse()
	r := &ids{n: most + 10_000, again: 1}
	l, err := readList(r, most)
	if err != nil || !l.cut || len(l.ids) != most || len(l.set) != most {
		t.Fatalf("%d ids, cut %v, %v", len(l.ids), l.cut, err)
	}
	if r.peak-before > 2*67*most {
		t.Errorf("%d bytes for a list of %d", r.peak-before, 67*most)
	}
	runtime.KeepAlive(l)
	if l, err = readList(&ids{n: 100, again: 1}, 100); err != nil || l.cut || len(l.ids) != 100 {
		t.Errorf("a list of just so many: %d, cut %v, %v", len(l.ids), l.cut, err)
	}
}

// TestEqualIdsAreOne: what is named twice is in the mempool once.
func TestEqualIdsAreOne(t *testing.T) {
	l, err := readList(&ids{n: 3, again: 700}, poolTxs)
	if err != nil || len(l.ids) != 3 {
		t.Fatalf("%d ids, %v", len(l.ids), err)
	}
	p := newPool()
	for range 3 {
		fresh, _ := p.keep(l)
		for _, id := range fresh {
			p.add(fetched{id: id})
		}
	}
	if len(p.order) != 3 || len(p.known) != 3 {
		t.Errorf("%d in order, %d known", len(p.order), len(p.known))
	}
}

// TestListOfErrors: an error is one in every order.
func TestListOfErrors(t *testing.T) {
	for text, want := range map[string]error{
		`{"result":null,"error":{"code":-28,"message":"x"}}`: ErrStarting,
		`{"error":{"code":-28,"message":"x"},"result":[]}`:   ErrStarting,
		`{"error":null,"result":null}`:                       ErrGarbage,
		`{"error":null,"result":[]}x`:                        ErrGarbage,
		`{"error":null,"result":[]`:                          ErrGarbage,
		`{"result":[],"result":[]}`:                          ErrGarbage,
		`[]`:                                                 ErrGarbage,
		`{"error":{"code":1,"message":"` + strings.Repeat("x", maxAnswer) + `"}}`: ErrTooLarge,
	} {
		if _, err := readList(strings.NewReader(text), 10); !errors.Is(err, want) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

// TestMempoolBeyondBounds: of more transactions than are kept some are known, the
// view is not whole, and nobody is told that they left.
func TestMempoolBeyondBounds(t *testing.T) {
	p := newPool()
	l, err := readList(&ids{n: poolStep + 5, again: 1}, poolTxs)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, _ := p.keep(l); len(fresh) != poolStep+1 {
		t.Errorf("%d are fresh", len(fresh))
	}
}

// TestFalseBlocksAreNotDecoded: a block under the true header, whose witness was
// swapped, is refused for a small part of what it would take.
func TestFalseBlocksAreNotDecoded(t *testing.T) {
	params := regtest.Params()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 1}, nil, wire.TxWitness{{1}}))
	tx.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
	build := func() *wire.MsgBlock {
		block, err := regtest.Block(params, regtest.Template{
			Prev: *params.GenesisHash, Height: 1, Time: params.GenesisBlock.Header.Timestamp.Add(time.Minute), PayTo: []byte{0x51}, Txs: []*wire.MsgTx{tx},
		})
		if err != nil {
			t.Fatal(err)
		}
		return block
	}
	serialize := func(block *wire.MsgBlock) []byte {
		var buf bytes.Buffer
		if err := block.Serialize(&buf); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	b := &Backend{cfg: Config{Network: wallet.Regtest}, params: params}
	block := build()
	hash := block.BlockHash()
	if _, _, err := b.checkBlock(serialize(block), hash, 1); err != nil {
		t.Fatal(err)
	}
	block.Transactions[1].TxIn[0].Witness = make(wire.TxWitness, 1_000_000)
	if n := spent(t, b, serialize(block), hash, ErrLie); n > 1<<20 {
		t.Errorf("a false block of 1 MB took %d bytes", n)
	}
	// A true one keeps what it needs.
	tx.TxIn[0].Witness = make(wire.TxWitness, 1_000_000)
	block = build()
	before := inUse()
	got, held, err := b.checkBlock(serialize(block), block.BlockHash(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if now := inUse(); now > before+1<<20 && now-before > 4*1_000_000 {
		t.Errorf("a true block of 1 MB holds %d bytes, counted as %d", now-before, held)
	}
	runtime.KeepAlive(got)
}

func spent(t *testing.T, b *Backend, raw []byte, hash chainhash.Hash, want error) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := b.checkBlock(raw, hash, 1)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	return after.TotalAlloc - before.TotalAlloc
}
