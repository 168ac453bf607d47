package core

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/wallet"
)

// TestDifficulty holds the target of a block against that of the one before it,
// where the network has no rule for slow blocks.
func TestDifficulty(t *testing.T) {
	const easy, hard = 0x1d00ffff, 0x1b0404cb
	for _, c := range []struct {
		name       string
		network    wallet.Network
		height     int32
		prev, bits uint32
		ok         bool
	}{
		{"same", wallet.Mainnet, 2017, hard, hard, true},
		{"easier within a period", wallet.Mainnet, 2017, hard, easy, false},
		{"harder within a period", wallet.Mainnet, 2017, easy, hard, false},
		{"much easier at its end", wallet.Mainnet, 2016, hard, easy, false},
		{"harder at its end", wallet.Mainnet, 2016, easy, hard, true},
		{"four times easier at its end", wallet.Mainnet, 2016, 0x1b010000, 0x1b040000, true},
		{"more than four times", wallet.Mainnet, 2016, 0x1b010000, 0x1b040001, false},
		{"testnet4 has its own rule", wallet.Testnet4, 2017, hard, easy, true},
	} {
		b := &Backend{params: c.network.Params(), headers: newCache[*wire.BlockHeader](maxHeaders), cfg: Config{Log: slog.New(slog.DiscardHandler)}}
		prev := &wire.BlockHeader{Bits: c.prev}
		b.headers.put(prev.BlockHash(), prev)
		err := source{b}.checkDifficulty(t.Context(), &wire.BlockHeader{PrevBlock: prev.BlockHash(), Bits: c.bits}, c.height)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrLie)) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// TestBehind tells a node that is catching up from one that has just heard of a block.
func TestBehind(t *testing.T) {
	now := time.Now().Unix()
	for _, c := range []struct {
		name            string
		network         wallet.Network
		blocks, headers int32
		ibd             bool
		time            int64
		behind          bool
	}{
		{"at the tip", wallet.Mainnet, 100, 100, false, now, false},
		{"one behind", wallet.Mainnet, 100, 101, false, now, false},
		{"far behind", wallet.Mainnet, 100, 200, false, now, true},
		{"says so", wallet.Mainnet, 100, 100, true, now, true},
		{"old tip", wallet.Mainnet, 100, 100, false, now - 2*86400, true},
		{"regtest always says so", wallet.Regtest, 100, 100, true, now - 2*86400, false},
	} {
		b := &Backend{cfg: Config{Network: c.network}, changed: make(chan struct{})}
		b.settle(question{number: 1}, chainInfo{Blocks: c.blocks, Headers: c.headers, IBD: c.ibd}, coordinator.BlockRef{Height: c.blocks, Time: c.time, MedianTime: c.time})
		h := b.Health()
		if (h.Problem != "") != c.behind || h.Since.IsZero() == c.behind || strings.Contains(h.Problem, "still syncing") != c.behind {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
}

// TestCachesAreBounded puts more in than fits.
func TestCachesAreBounded(t *testing.T) {
	c := newCache[*wire.BlockHeader](maxHeaders)
	for i := range maxHeaders + 100 {
		h := &wire.BlockHeader{Nonce: uint32(i)}
		c.put(h.BlockHash(), h)
	}
	if len(c.by) != maxHeaders || len(c.fifo) != maxHeaders {
		t.Errorf("cache holds %d headers, at most %d were allowed", len(c.by), maxHeaders)
	}
	p := newPool()
	big := make([]byte, 1<<20)
	for i := range 40 {
		p.add(&wire.MsgTx{LockTime: uint32(i), TxOut: []*wire.TxOut{{PkScript: big}}})
	}
	if p.size > poolBytes {
		t.Errorf("pool holds %d bytes, at most %d were allowed", p.size, poolBytes)
	}
	txs, mark := p.after(0)
	if len(txs) == 0 || len(txs) > 16 || txs[len(txs)-1].LockTime != 39 || mark != 40 {
		t.Errorf("%d transactions are left at mark %d", len(txs), mark)
	}
	if fresh, left := p.keep(nil); !left || len(fresh) != 0 || p.size != 0 || len(p.known) != 0 || len(p.order) != 0 {
		t.Errorf("an empty mempool leaves %d bytes", p.size)
	}
}

func TestParentsFirst(t *testing.T) {
	var txs []*wire.MsgTx
	parent := &wire.MsgTx{LockTime: 1}
	for i := range 5 {
		txs = append([]*wire.MsgTx{parent}, txs...) // children before parents
		child := &wire.MsgTx{LockTime: uint32(i + 2)}
		child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: parent.TxHash()}, nil, nil))
		child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: parent.TxHash(), Index: 1}, nil, nil))
		parent = child
	}
	got := parentsFirst(txs)
	if len(got) != 5 {
		t.Fatalf("%d of 5 transactions are left", len(got))
	}
	for i, tx := range got {
		if tx.LockTime != uint32(i+1) {
			t.Errorf("transaction %d is at place %d", tx.LockTime, i)
		}
	}
}

// FuzzResponse feeds what a server may return.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		`{"result":"00","error":null,"id":1}`, `{"result":null,"error":{"code":-5,"message":"no"},"id":1}`,
		`[{"result":"00","error":null,"id":0},{"id":1,"error":{"code":1,"message":"x"}}]`, `[{"id":-1}]`, `[]`, `{}`, `null`, `[null]`, `[[[[`,
		`[{"result":null,"id":0}]`,
	} {
		f.Add([]byte(s), uint8(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, n uint8) {
		if r, err := parseResponse(body); (r == nil) == (err == nil) {
			t.Fatal("neither answer nor error, or both")
		}
		out, err := parseBatch(body, int(n))
		if err == nil && len(out) != int(n) {
			t.Fatalf("%d answers to %d questions", len(out), n)
		}
		for _, s := range out {
			if tx, err := decodeTx(s); err == nil {
				if again, err := encodeTx(tx); err != nil || len(again) != len(s) {
					t.Fatalf("transaction changes: %v", err)
				}
			}
		}
	})
}
