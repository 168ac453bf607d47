package core_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/follow"
)

// shifted makes the fake put its blocks at heights that they do not have.
func (f *fake) shifted(blocks int, by int32) {
	info, at := f.answers["getblockchaininfo"], f.answers["getblockhash"]
	f.on("getblockchaininfo", func(p []json.RawMessage) (any, int, string) {
		answer, _, _ := info(p)
		m := answer.(map[string]any)
		m["blocks"], m["headers"] = int32(blocks)+by, int32(blocks)+by
		return m, 0, ""
	})
	f.on("getblockhash", func(p []json.RawMessage) (any, int, string) {
		var height int32
		if json.Unmarshal(p[0], &height) != nil {
			return nil, -8, "Block height out of range"
		}
		if height != 0 {
			height -= by
		}
		raw, err := json.Marshal(height)
		if err != nil {
			return nil, -8, err.Error()
		}
		return at([]json.RawMessage{raw})
	})
}

// TestTipOfAnotherHeight: true blocks at heights of the server's own are no tip,
// when it is first seen and later.
func TestTipOfAnotherHeight(t *testing.T) {
	for _, by := range []int32{2_000_000_000, 1, -1} {
		const n = 20
		blocks := regtestChain(t, 2*n)
		f := newFake(t)
		f.chain(blocks[:n])
		f.shifted(n, by)
		b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
		healthy(t, b, core.ErrLie.Error())
		if tip, err := b.Tip(t.Context()); err == nil || b.Health().Height != 0 {
			t.Errorf("moved by %d: tip %d is believed", by, tip.Height)
		}
		f.chain(blocks[:n])
		healthy(t, b, "")
		f.chain(blocks)
		f.shifted(2*n, by)
		healthy(t, b, core.ErrLie.Error())
		if h := b.Health().Height; h != n {
			t.Errorf("moved by %d later: height %d is believed", by, h)
		}
	}
}

// TestTipIsCountedOn: the height of a tip is known from one that was seen a little
// before; the block is fetched only where that is far away or in another branch.
func TestTipIsCountedOn(t *testing.T) {
	blocks := regtestChain(t, 60)
	f := newFake(t)
	f.chain(blocks[:20])
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	healthy(t, b, "")
	before := f.count("getblock")
	if before == 0 {
		t.Error("the first tip was not looked at")
	}
	for _, c := range []struct {
		height int
		far    bool
	}{{21, false}, {30, false}, {60, true}, {58, true}} {
		f.chain(blocks[:c.height])
		eventually(t, func() bool {
			tip, err := b.Tip(t.Context())
			return err == nil && int(tip.Height) == c.height
		})
		n := f.count("getblock")
		if (n > before) != c.far {
			t.Errorf("at height %d: fetched %d blocks", c.height, n-before)
		}
		before = n
	}
}

// TestWalletBornAboveTheChain shows in Health, until the chain gets there.
func TestWalletBornAboveTheChain(t *testing.T) {
	blocks := regtestChain(t, 14)
	f := newFake(t)
	f.chain(blocks[:10])
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	follower, err := b.Follow(t.Context(), nil, 12, [][]byte{{0x51}})
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, b, follow.ErrAbove.Error())
	f.chain(blocks)
	next(t, follower, blocks[12])
	healthy(t, b, "")
}
