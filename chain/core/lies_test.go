package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

func writePEM(t *testing.T, file string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// regtestChain makes n blocks from the genesis block on; index 0 has height 1.
func regtestChain(t *testing.T, n int) []*wire.MsgBlock {
	t.Helper()
	params := regtest.Params()
	prev, at := *params.GenesisHash, params.GenesisBlock.Header.Timestamp
	var blocks []*wire.MsgBlock
	for i := range n {
		at = at.Add(10 * time.Minute)
		b, err := regtest.Block(params, regtest.Template{Prev: prev, Height: int32(i + 1), Time: at, PayTo: []byte{0x51}, ExtraNonce: 7})
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
		prev = b.BlockHash()
	}
	return blocks
}

func blockHex(b *wire.MsgBlock) string {
	var buf bytes.Buffer
	_ = b.Serialize(&buf) // a bytes.Buffer takes everything
	return hex.EncodeToString(buf.Bytes())
}

func headerHex(h wire.BlockHeader) string {
	var buf bytes.Buffer
	_ = h.Serialize(&buf)
	return hex.EncodeToString(buf.Bytes())
}

func str(p json.RawMessage) string {
	var s string
	_ = json.Unmarshal(p, &s)
	return s
}

// chain makes the fake answer as a node with these blocks would.
func (f *fake) chain(blocks []*wire.MsgBlock) {
	genesis := regtest.Params().GenesisBlock
	all := append([]*wire.MsgBlock{genesis}, blocks...)
	by := map[string]*wire.MsgBlock{}
	for _, b := range all {
		by[b.BlockHash().String()] = b
	}
	f.on("getblockchaininfo", func([]json.RawMessage) (any, int, string) {
		return map[string]any{
			"chain": "regtest", "blocks": len(all) - 1, "headers": len(all) - 1,
			"bestblockhash": all[len(all)-1].BlockHash().String(),
		}, 0, ""
	})
	f.on("getblockhash", func(p []json.RawMessage) (any, int, string) {
		var height int
		if json.Unmarshal(p[0], &height) != nil || height < 0 || height >= len(all) {
			return nil, -8, "Block height out of range"
		}
		return all[height].BlockHash().String(), 0, ""
	})
	f.on("getblockheader", func(p []json.RawMessage) (any, int, string) {
		if b := by[str(p[0])]; b != nil {
			return headerHex(b.Header), 0, ""
		}
		return nil, -5, "Block not found"
	})
	f.on("getblock", func(p []json.RawMessage) (any, int, string) {
		if b := by[str(p[0])]; b != nil {
			return blockHex(b), 0, ""
		}
		return nil, -5, "Block not found"
	})
}

// TestLies gives a follower one false answer of each kind: Health says so, and
// the false block is not streamed. With the truth, the stream goes on.
func TestLies(t *testing.T) {
	blocks := regtestChain(t, 12)
	changed := func(edit func(*wire.MsgBlock)) *wire.MsgBlock {
		raw, err := hex.DecodeString(blockHex(blocks[7]))
		if err != nil {
			t.Fatal(err)
		}
		b := new(wire.MsgBlock)
		if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		edit(b)
		return b
	}
	// A block of a harder network, whose target this hash does not meet.
	hard := changed(func(b *wire.MsgBlock) { b.Header.Bits = 0x1d00ffff })
	early, err := regtest.Block(regtest.Params(), regtest.Template{
		Prev: blocks[6].BlockHash(), Height: 3, Time: blocks[7].Header.Timestamp, PayTo: []byte{0x51},
	})
	if err != nil {
		t.Fatal(err)
	}
	sibling, err := regtest.Block(regtest.Params(), regtest.Template{
		Prev: blocks[6].BlockHash(), Height: 8, Time: blocks[7].Header.Timestamp, PayTo: []byte{0x52},
	})
	if err != nil {
		t.Fatal(err)
	}
	stray, err := regtest.Block(regtest.Params(), regtest.Template{
		Prev: chainhash.Hash{9}, Height: 8, Time: blocks[7].Header.Timestamp, PayTo: []byte{0x51},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		hash       string // for height 8
		block      string // for that hash, at getblock
		header     string // for that hash, at getblockheader
	}{
		{"another block", core.ErrLie.Error(), "", blockHex(blocks[3]), ""},
		{"sibling", core.ErrLie.Error(), "", blockHex(sibling), ""},
		{"changed transaction", core.ErrLie.Error(), "", blockHex(changed(func(b *wire.MsgBlock) { b.Transactions[0].TxOut[0].Value++ })), ""},
		{"missing transactions", core.ErrLie.Error(), "", blockHex(changed(func(b *wire.MsgBlock) { b.Transactions = nil })), ""},
		{"added witness", core.ErrLie.Error(), "", blockHex(changed(func(b *wire.MsgBlock) { b.Transactions[0].TxIn[0].Witness = wire.TxWitness{make([]byte, 32)} })), ""},
		{"cut short", core.ErrLie.Error(), "", blockHex(blocks[7])[:100], ""},
		{"bytes after it", core.ErrLie.Error(), "", blockHex(blocks[7]) + "00", ""},
		{"not hex", core.ErrGarbage.Error(), "", "zz", ""},
		{"hash is no hash", core.ErrGarbage.Error(), "hello", "", ""},
		{"no proof of work", core.ErrLie.Error(), hard.BlockHash().String(), blockHex(hard), headerHex(hard.Header)},
		{"of another height", core.ErrLie.Error(), early.BlockHash().String(), blockHex(early), headerHex(early.Header)},
		{"hash of another height", core.ErrLie.Error(), blocks[4].BlockHash().String(), "", ""},
		{"built on nothing", "Block not found", stray.BlockHash().String(), blockHex(stray), headerHex(stray.Header)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.chain(blocks)
			truth := map[string]func([]json.RawMessage) (any, int, string){}
			f.mu.Lock()
			for k, v := range f.answers {
				truth[k] = v
			}
			f.mu.Unlock()
			at8 := blocks[7].BlockHash().String()
			if c.hash != "" {
				at8 = c.hash
			}
			f.on("getblockhash", func(p []json.RawMessage) (any, int, string) {
				if string(p[0]) == "8" {
					return at8, 0, ""
				}
				return truth["getblockhash"](p)
			})
			for method, lie := range map[string]string{"getblock": c.block, "getblockheader": c.header} {
				f.on(method, func(p []json.RawMessage) (any, int, string) {
					if str(p[0]) == at8 && lie != "" {
						return lie, 0, ""
					}
					return truth[method](p)
				})
			}
			b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
			// With a script to look for, and no filters, every block is fetched.
			follower, err := b.Follow(t.Context(), nil, 0, [][]byte{{0x51}})
			if err != nil {
				t.Fatal(err)
			}
			for height := int32(1); height <= 7; height++ {
				next(t, follower, blocks[height-1])
			}
			healthy(t, b, c.want)
			select {
			case n := <-follower.Notices():
				t.Fatalf("streamed a notice of kind %d for block %d", n.Kind, n.Block.Height)
			default:
			}
			for method, answer := range truth {
				f.on(method, answer)
			}
			for height := int32(8); height <= 12; height++ {
				next(t, follower, blocks[height-1])
			}
			healthy(t, b, "")
		})
	}
}

// next reads one Connected notice of that block.
func next(t *testing.T, f port.Follower, want *wire.MsgBlock) port.ChainNotice {
	t.Helper()
	n := notice(t, f)
	if n.Kind != port.Connected || n.Block.Hash != want.BlockHash() {
		t.Fatalf("notice of kind %d for block %d", n.Kind, n.Block.Height)
	}
	return n
}

func notice(t *testing.T, f port.Follower) port.ChainNotice {
	t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	select {
	case n := <-f.Notices():
		return n
	case <-timeout.C:
		t.Fatal("no notice")
		panic("unreachable")
	}
}

func TestOtherNetwork(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 2))
	f.on("getblockhash", func([]json.RawMessage) (any, int, string) {
		return "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 0, ""
	})
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	healthy(t, b, core.ErrNetwork.Error())
	if f.count("getblock") > 0 {
		t.Error("asked a node of another network for blocks")
	}
}

func TestPruned(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	f.on("getblock", func([]json.RawMessage) (any, int, string) { return nil, -1, "Block not available (pruned data)" })
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	if _, err := b.Follow(t.Context(), nil, 0, [][]byte{{0x51}}); err != nil {
		t.Fatal(err)
	}
	healthy(t, b, core.ErrPruned.Error())
}

// TestPrunedWithFilters: a pruned node still has the filters of what it threw
// away, and is good enough where none of that is of interest.
func TestPrunedWithFilters(t *testing.T) {
	f := newFake(t)
	blocks := mixedChain(t, 8)
	f.chain(blocks)
	f.on("getblockfilter", index(t, blocks).core)
	whole := f.answers["getblock"]
	f.on("getblock", func(p []json.RawMessage) (any, int, string) {
		for _, gone := range blocks[:4] {
			if gone.BlockHash().String() == str(p[0]) {
				return nil, -1, "Block not available (pruned data)"
			}
		}
		return whole(p)
	})
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	follower, err := b.Follow(t.Context(), nil, 0, [][]byte{{0x52}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range blocks {
		next(t, follower, want)
	}
	healthy(t, b, "")
	// One that paid a script in a block that is gone is not passed over.
	if err := follower.Watch(t.Context(), [][]byte{{0x51}}, 1); err != nil {
		t.Fatal(err)
	}
	healthy(t, b, core.ErrPruned.Error())
	if n := notice(t, follower); n.Kind != port.CaughtUp || n.Block.Hash != blocks[7].BlockHash() {
		t.Fatalf("notice of kind %d for block %d", n.Kind, n.Block.Height)
	}
}

// TestMempoolLies: what the node says of its mempool must fit as well.
func TestMempoolLies(t *testing.T) {
	c := regtestChain(t, 3)
	tx := c[0].Transactions[0]
	var buf bytes.Buffer
	if err := tx.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	other := c[1].Transactions[0].TxHash().String()
	for name, a := range map[string]struct {
		ids []string
		raw any
	}{
		"id is no id":         {[]string{"xyz" + other[:61]}, ""},
		"another transaction": {[]string{other}, hex.EncodeToString(buf.Bytes())},
		"not hex":             {[]string{other}, "no"},
		"no transaction":      {[]string{other}, "0011"},
		"a number":            {[]string{other}, 17},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.chain(c)
			f.on("getrawmempool", func([]json.RawMessage) (any, int, string) { return a.ids, 0, "" })
			f.on("getrawtransaction", func([]json.RawMessage) (any, int, string) { return a.raw, 0, "" })
			b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
			healthy(t, b, core.ErrGarbage.Error())
			f.on("getrawmempool", func([]json.RawMessage) (any, int, string) { return []string{}, 0, "" })
			healthy(t, b, "")
		})
	}
}
