package core_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2/gcs"
	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

// mixedChain makes blocks of which one pays a script of its own: at height 5.
func mixedChain(t *testing.T, n int) []*wire.MsgBlock {
	t.Helper()
	params := regtest.Params()
	prev, at := *params.GenesisHash, params.GenesisBlock.Header.Timestamp
	var blocks []*wire.MsgBlock
	for i := range n {
		at = at.Add(10 * time.Minute)
		to := []byte{0x51}
		if i == 4 {
			to = []byte{0x52}
		}
		b, err := regtest.Block(params, regtest.Template{Prev: prev, Height: int32(i + 1), Time: at, PayTo: to, ExtraNonce: 7})
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
		prev = b.BlockHash()
	}
	return blocks
}

// filtered is a node's index of filters, as both kinds of nodes show it.
type filtered struct {
	filter, head map[string]string
}

func index(t *testing.T, blocks []*wire.MsgBlock) filtered {
	t.Helper()
	x := filtered{map[string]string{}, map[string]string{}}
	var before chainhash.Hash
	for _, b := range append([]*wire.MsgBlock{regtest.Params().GenesisBlock}, blocks...) {
		f, err := builder.BuildBasicFilter(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := f.NBytes()
		if err != nil {
			t.Fatal(err)
		}
		if before, err = builder.MakeHeaderForFilter(f, before); err != nil {
			t.Fatal(err)
		}
		x.filter[b.BlockHash().String()], x.head[b.BlockHash().String()] = hex.EncodeToString(raw), before.String()
	}
	return x
}

func (x filtered) core(p []json.RawMessage) (any, int, string) {
	if str(p[1]) != "basic" {
		return nil, -5, "Unknown filtertype"
	}
	if x.filter[str(p[0])] == "" {
		return nil, -5, "Block not found"
	}
	return map[string]string{"filter": x.filter[str(p[0])], "header": x.head[str(p[0])]}, 0, ""
}

func (f *fake) btcdFilters(x filtered) {
	f.on("getcfilter", func(p []json.RawMessage) (any, int, string) { return x.filter[str(p[0])], 0, "" })
	f.on("getcfilterheader", func(p []json.RawMessage) (any, int, string) { return x.head[str(p[0])], 0, "" })
}

func says(code int, message string) func([]json.RawMessage) (any, int, string) {
	return func([]json.RawMessage) (any, int, string) { return nil, code, message }
}

// TestFilters holds which blocks are fetched against what the node has: the one
// of interest always comes whole.
func TestFilters(t *testing.T) {
	const most = 20
	blocks := mixedChain(t, most)
	x := index(t, blocks)
	empty, err := gcs.BuildGCSFilter(builder.DefaultP, builder.DefaultM, [gcs.KeySize]byte{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	none, err := empty.NBytes()
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(value any) func(*fake) {
		return func(f *fake) {
			f.on("getblockfilter", func(p []json.RawMessage) (any, int, string) {
				if str(p[0]) == blocks[4].BlockHash().String() {
					return value, 0, ""
				}
				return x.core(p)
			})
		}
	}
	at5 := blocks[4].BlockHash().String()
	for _, c := range []struct {
		name    string
		set     func(*fake)
		fetched int // at most that many blocks
		asked   string
		asks    int // at most that often
	}{
		{"Bitcoin Core", func(f *fake) { f.on("getblockfilter", x.core) }, 2, "getcfilter", 0},
		{"btcd", func(f *fake) { f.btcdFilters(x) }, 2, "getblockfilter", 1},
		{"neither", func(*fake) {}, most, "getcfilter", 1},
		{"Core without the index", func(f *fake) {
			f.on("getblockfilter", says(-1, "Index is not enabled for filtertype basic"))
		}, most, "getblockfilter", 1},
		{"btcd without the index", func(f *fake) {
			f.on("getcfilter", says(-5, "The CF index must be enabled for this command"))
		}, most, "getcfilter", 1},
		{"still indexing", func(f *fake) {
			f.on("getblockfilter", says(-1, "Filter not found. Block filters are still in the process of being indexed."))
		}, most, "getcfilter", 0},
		{"index is damaged", func(f *fake) {
			f.on("getblockfilter", says(-32603, "Filter not found. This error is unexpected and indicates index corruption."))
		}, most, "getcfilter", 0},
		// What does not fit to the filter headers is not believed.
		{"filter of nothing", wrong(map[string]string{"filter": hex.EncodeToString(none), "header": x.head[at5]}), 5, "getcfilter", 0},
		{"changed filter", wrong(map[string]string{"filter": x.filter[at5][:6] + "00" + x.filter[at5][8:], "header": x.head[at5]}), 5, "getcfilter", 0},
		{"cut filter", wrong(map[string]string{"filter": x.filter[at5][:4], "header": x.head[at5]}), 5, "getcfilter", 0},
		{"huge count", wrong(map[string]string{"filter": "feffffffff" + x.filter[at5][2:], "header": x.head[at5]}), 5, "getcfilter", 0},
		{"no hex", wrong(map[string]string{"filter": "zz", "header": x.head[at5]}), 5, "getcfilter", 0},
		{"no header", wrong(map[string]string{"filter": x.filter[at5], "header": ""}), 5, "getcfilter", 0},
		{"filter of another block", wrong(map[string]string{"filter": x.filter[blocks[3].BlockHash().String()], "header": x.head[at5]}), 5, "getcfilter", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.chain(blocks)
			c.set(f)
			b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
			follower, err := b.Follow(t.Context(), nil, 0, [][]byte{{0x52}})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range blocks {
				if n := next(t, follower, want); i == 4 && len(n.Txs) != 1 {
					t.Error("the block of interest came without its transaction")
				}
			}
			// The tip is fetched once in any case, for its height.
			if got := f.count("getblock"); got > c.fetched || got == 0 {
				t.Errorf("fetched %d blocks, at most %d were needed", got, c.fetched)
			}
			if got := f.count(c.asked); got > c.asks {
				t.Errorf("%s was called %d times, at most %d were needed", c.asked, got, c.asks)
			}
			healthy(t, b, "")
		})
	}
}

// TestFiltersAreAskedForAgain: a node that comes back may have got an index.
func TestFiltersAreAskedForAgain(t *testing.T) {
	blocks := mixedChain(t, 8)
	f := newFake(t)
	f.chain(blocks[:4])
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	follower, err := b.Follow(t.Context(), nil, 0, [][]byte{{0x52}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range blocks[:4] {
		next(t, follower, want)
	}
	if got := f.count("getblock"); got != 4 {
		t.Fatalf("fetched %d blocks of 4 without filters", got)
	}
	f.on("getblockchaininfo", says(-28, "Loading block index…"))
	healthy(t, b, core.ErrStarting.Error())
	f.on("getblockfilter", index(t, blocks).core)
	f.chain(blocks)
	if n := notice(t, follower); n.Kind != port.CaughtUp {
		t.Fatalf("notice of kind %d", n.Kind)
	}
	for _, want := range blocks[4:] {
		next(t, follower, want)
	}
	if got := f.count("getblock"); got != 5 {
		t.Errorf("fetched %d blocks, 5 were needed", got)
	}
}

// TestHeaderLies: a block of no interest is not fetched, and is checked all the same.
func TestHeaderLies(t *testing.T) {
	blocks := mixedChain(t, 12)
	easy := blocks[7].Header
	easy.Bits = 0x1d00ffff
	stray, err := regtest.Block(regtest.Params(), regtest.Template{
		Prev: chainhash.Hash{9}, Height: 8, Time: easy.Timestamp, PayTo: []byte{0x51},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		hash       string
		header     string
	}{
		{"another header", core.ErrLie.Error(), "", headerHex(blocks[3].Header)},
		{"cut short", core.ErrGarbage.Error(), "", headerHex(blocks[7].Header)[:100]},
		{"no proof of work", core.ErrLie.Error(), easy.BlockHash().String(), headerHex(easy)},
		{"built on nothing", "Block not found", stray.BlockHash().String(), headerHex(stray.Header)},
		{"hash of another height", "do not build on each other", blocks[4].BlockHash().String(), ""},
		{"unknown hash", "do not build on each other", chainhash.Hash{7}.String(), ""},
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
			f.on("getblockheader", func(p []json.RawMessage) (any, int, string) {
				if str(p[0]) == at8 && c.header != "" {
					return c.header, 0, ""
				}
				return truth["getblockheader"](p)
			})
			shorter(f, blocks[:7]) // the tip's median needs the header too
			b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
			follower, err := b.Follow(t.Context(), nil, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range blocks[:7] {
				next(t, follower, want)
			}
			f.on("getblockchaininfo", truth["getblockchaininfo"])
			healthy(t, b, c.want)
			for method, answer := range truth {
				f.on(method, answer)
			}
			for {
				n := notice(t, follower)
				if n.Kind == port.CaughtUp {
					continue
				}
				if n.Kind != port.Connected || n.Block.Hash != blocks[n.Block.Height-1].BlockHash() {
					t.Fatalf("notice of kind %d for block %d", n.Kind, n.Block.Height)
				}
				if n.Block.Height == 12 {
					break
				}
			}
			if f.count("getblock") > 1 {
				t.Error("fetched a block that nobody asked for, besides the tip")
			}
			healthy(t, b, "")
		})
	}
}

// shorter makes the fake say that its tip is the last of these blocks.
func shorter(f *fake, blocks []*wire.MsgBlock) {
	f.on("getblockchaininfo", func([]json.RawMessage) (any, int, string) {
		return map[string]any{
			"chain": "regtest", "blocks": len(blocks), "headers": len(blocks), "bestblockhash": blocks[len(blocks)-1].BlockHash().String(),
		}, 0, ""
	})
}
