package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
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
		b.headers.put(prev.BlockHash(), prev, 1)
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
		b.settle(question{number: 1}, chainInfo{Blocks: c.blocks, Headers: c.headers, IBD: c.ibd}, port.BlockRef{Height: c.blocks, Time: c.time, MedianTime: c.time})
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
		c.put(h.BlockHash(), h, 1)
	}
	if len(c.by) != maxHeaders || len(c.fifo) != maxHeaders {
		t.Errorf("cache holds %d headers, at most %d were allowed", len(c.by), maxHeaders)
	}
	p := newPool()
	big := make([]byte, 1<<20)
	for i := range 40 {
		tx := &wire.MsgTx{LockTime: uint32(i), TxOut: []*wire.TxOut{{PkScript: big}}}
		p.add(fetched{tx.TxHash(), tx, 3 << 20})
	}
	if p.size > poolBytes {
		t.Errorf("pool holds %d bytes, at most %d were allowed", p.size, poolBytes)
	}
	txs, mark := p.after(0)
	if len(txs) == 0 || len(txs) > 16 || txs[len(txs)-1].LockTime != 39 || mark != 40 {
		t.Errorf("%d transactions are left at mark %d", len(txs), mark)
	}
	if fresh, left := p.keep(listing{}); !left || len(fresh) != 0 || p.size != 0 || len(p.known) != 0 || len(p.order) != 0 {
		t.Errorf("an empty mempool leaves %d bytes", p.size)
	}
}

func TestParentsFirst(t *testing.T) {
	var txs []fetched
	parent := &wire.MsgTx{LockTime: 1}
	for i := range 5 {
		txs = append([]fetched{{id: parent.TxHash(), tx: parent}}, txs...) // children before parents
		child := &wire.MsgTx{LockTime: uint32(i + 2)}
		child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: parent.TxHash()}, nil, nil))
		child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: parent.TxHash(), Index: 1}, nil, nil))
		parent = child
	}
	got := parentsFirst(txs)
	if len(got) != 5 {
		t.Fatalf("%d of 5 transactions are left", len(got))
	}
	for i, f := range got {
		if f.tx.LockTime != uint32(i+1) {
			t.Errorf("transaction %d is at place %d", f.tx.LockTime, i)
		}
	}
}

// FuzzResponse feeds what a server may return.
func FuzzResponse(f *testing.F) {
	id := strings.Repeat("0f", 32)
	for _, s := range []string{
		`{"result":"00","error":null,"id":1}`, `{"result":null,"error":{"code":-5,"message":"no"},"id":1}`,
		`[{"result":"00","error":null,"id":0},{"id":1,"error":{"code":1,"message":"x"}}]`, `[{"id":-1}]`, `[]`, `{}`, `null`, `[null]`, `[[[[`,
		`[{"result":null,"id":0}]`, `[{"result":"","id":0},{"result":"","id":0}]`,
		`{"result":["` + id + `","` + id + `"],"error":null,"id":1}`, `{"id":1,"error":{"code":-28,"message":"x"},"result":null}`, `{"result":[""]}`,
		`{"result":[],"result":[]}`, `{"error":null,"x":[[{}]],"result":[1]}`,
	} {
		f.Add([]byte(s), uint8(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, n uint8) {
		if r, err := parseResponse(body); (r == nil) == (err == nil) {
			t.Fatal("neither answer nor error, or both")
		}
		took := map[int]bool{}
		_ = parseBatch(bytes.NewReader(body), int(n), func(i int, raw []byte) error {
			if i < 0 || i >= int(n) || took[i] {
				t.Fatalf("answer %d of %d", i, n)
			}
			took[i] = true
			f, err := decodePooled(raw)
			if err == nil && f.tx != nil && f.tx.TxHash() != f.id {
				t.Fatal("transaction changes")
			}
			return nil
		})
		l, err := readList(bytes.NewReader(body), int(n))
		if len(l.ids) > int(n) || len(l.ids) != len(l.set) {
			t.Fatalf("%d ids of at most %d", len(l.ids), n)
		}
		var whole struct{ Result []string }
		if err == nil && !l.cut && (json.Unmarshal(body, &whole) != nil || len(whole.Result) < len(l.ids)) {
			t.Fatalf("%d ids are read, the library reads %d", len(l.ids), len(whole.Result))
		}
	})
}

// A node that has far fewer blocks than before lost its chain, on regtest too, until it
// has them again. A reorg is none of that.
func TestALostChainIsAProblem(t *testing.T) {
	b := &Backend{cfg: Config{Network: wallet.Regtest}, changed: make(chan struct{})}
	for n, c := range []struct {
		height int32
		lost   bool
	}{{120, false}, {119, false}, {20, false}, {19, true}, {0, true}, {19, true}, {20, false}, {200, false}, {100, false}, {0, true}} {
		b.settle(question{number: uint64(n + 1)}, chainInfo{Blocks: c.height, Headers: c.height}, port.BlockRef{Height: c.height})
		h := b.Health()
		if lost := strings.Contains(h.Problem, "lost its chain"); lost != c.lost || h.Synced == c.lost || h.Since.IsZero() == c.lost {
			t.Errorf("step %d, at %d blocks: %+v", n, c.height, h)
		}
	}
}
