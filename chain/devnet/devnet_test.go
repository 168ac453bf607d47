package devnet_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

// TestReorgTooDeep refuses, and leaves the chain alone.
func TestReorgTooDeep(t *testing.T) {
	d := start(t)
	before, err := d.Tip(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{-1, 0, devnet.Premined + 1} {
		if _, err := d.Reorg(depth); !errors.Is(err, devnet.ErrDepth) {
			t.Errorf("depth %d: got %v, want ErrDepth", depth, err)
		}
	}
	if after, err := d.Tip(t.Context()); err != nil || after != before {
		t.Errorf("tip moved from %+v to %+v: %v", before, after, err)
	}
	if _, err := d.Reorg(devnet.Premined); err != nil {
		t.Errorf("reorg of the whole chain: %v", err)
	}
}

// TestReorgWithInvalid leaves the old branch in place when the new one breaks a rule.
func TestReorgWithInvalid(t *testing.T) {
	d := start(t)
	before, err := d.Tip(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := wire.NewMsgTx(2)
	bad.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: before.Hash}, nil, nil))
	bad.AddTxOut(wire.NewTxOut(1, d.FaucetScript()))
	if _, err := d.Reorg(2, bad); !errors.Is(err, devnet.ErrBlock) {
		t.Errorf("got %v, want ErrBlock", err)
	}
	if after, err := d.Tip(t.Context()); err != nil || after != before {
		t.Errorf("tip moved from %+v to %+v: %v", before, after, err)
	}
	if _, err := d.Mine(1, nil); err != nil {
		t.Errorf("mine after it: %v", err)
	}
}

// TestFaucetRunsDry pays out all it has, and pays again when it earned more.
func TestFaucetRunsDry(t *testing.T) {
	d := start(t)
	to, n := append([]byte{0, 20}, make([]byte, 20)...), 0
	var err error
	for range 40 {
		if _, err = d.Fund(to, 50e8); err != nil {
			break
		}
		n++
	}
	if !errors.Is(err, regtest.ErrDry) || n < 15 {
		t.Fatalf("%d payments and then %v", n, err)
	}
	if _, err := d.Mine(20, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Fund(to, 50e8); err != nil {
		t.Errorf("after mining: %v", err)
	}
}

// TestMineToScript gives the coinbase to a script of the caller's.
func TestMineToScript(t *testing.T) {
	d := start(t)
	script := []byte{0x51, 0x51}
	hashes, err := d.Mine(2, script)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hashes {
		b, err := d.Block(h)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Transactions[0].TxOut[0].PkScript, script) {
			t.Errorf("coinbase pays %x", b.Transactions[0].TxOut[0].PkScript)
		}
	}
}

// TestFeeEstimate learns from what was mined.
func TestFeeEstimate(t *testing.T) {
	d := start(t)
	for range 5 {
		for range 5 {
			if _, err := d.Fund(d.FaucetScript(), 1e6); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Mine(1, nil); err != nil {
			t.Fatal(err)
		}
	}
	rate, err := d.FeeRate(t.Context(), 1)
	if err != nil || rate < 4_000 || rate > 8_000 {
		t.Errorf("estimate is %d sat/kvB, %v; 5 sat/vB was paid", rate, err)
	}
}

// TestNonStandardRefused holds the mempool to relay rules, not only to consensus.
func TestNonStandardRefused(t *testing.T) {
	d := start(t)
	k, err := regtest.NewKey("owner")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := d.Fund(k.PkScript(), 1e8)
	if err != nil {
		t.Fatal(err)
	}
	coin := []regtest.Coin{{OutPoint: wire.OutPoint{Hash: tx.TxHash()}, Amount: 1e8}}
	for name, out := range map[string]*wire.TxOut{"dust": wire.NewTxOut(100, d.FaucetScript()), "odd script": wire.NewTxOut(1e6, []byte{0x51, 0x52})} {
		odd, err := k.Pay(coin, []*wire.TxOut{out}, 5)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Broadcast(t.Context(), odd); !errors.Is(err, port.ErrTxRejected) {
			t.Errorf("%s: got %v, want ErrTxRejected", name, err)
		}
	}
}

func TestClosed(t *testing.T) {
	d, err := devnet.New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Follow(t.Context(), nil, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for range f.Notices() {
	}
	_, mine := d.Mine(1, nil)
	_, fund := d.Fund(d.FaucetScript(), 1)
	_, reorg := d.Reorg(1)
	_, tip := d.Tip(t.Context())
	_, again := d.Follow(t.Context(), nil, 0, nil)
	tx := wire.NewMsgTx(2)
	_, broadcast := d.Broadcast(t.Context(), tx)
	for what, err := range map[string]error{
		"Mine": mine, "Fund": fund, "Reorg": reorg, "Tip": tip, "Follow": again,
		"Broadcast": broadcast, "TestAccept": d.TestAccept(t.Context(), tx),
	} {
		if !errors.Is(err, follow.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
	if h := d.Health(); h.Problem == "" {
		t.Error("Health shows no problem")
	}
}

// TestClosedLeavesNothing removes its folder.
func TestClosedLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := devnet.New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestTwoNetworks run side by side without sharing anything.
func TestTwoNetworks(t *testing.T) {
	var all sync.WaitGroup
	for _, d := range []*devnet.Devnet{start(t), start(t)} {
		all.Go(func() {
			if _, err := d.Mine(30, nil); err != nil {
				t.Error(err)
			}
			if _, err := d.Reorg(10); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// BenchmarkFollow200 streams 200 blocks of 20 transactions to one follower.
func BenchmarkFollow200(b *testing.B) {
	d, from, _ := filled(b)
	for b.Loop() {
		f, err := d.Follow(b.Context(), nil, from, nil)
		if err != nil {
			b.Fatal(err)
		}
		for n := range f.Notices() {
			if n.Kind == port.CaughtUp {
				break
			}
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode200 is the floor: decoding the same blocks and nothing else.
func BenchmarkDecode200(b *testing.B) {
	_, _, raw := filled(b)
	for b.Loop() {
		for _, r := range raw {
			var m wire.MsgBlock
			if err := m.Deserialize(bytes.NewReader(r)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func filled(b *testing.B) (d *devnet.Devnet, from int32, raw [][]byte) {
	b.Helper()
	d = start(b)
	tip, err := d.Tip(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for range 200 {
		for range 20 {
			if _, err := d.Fund(d.FaucetScript(), 1e6); err != nil {
				b.Fatal(err)
			}
		}
		hashes, err := d.Mine(1, nil)
		if err != nil {
			b.Fatal(err)
		}
		block, err := d.Block(hashes[0])
		if err != nil {
			b.Fatal(err)
		}
		var buf bytes.Buffer
		if err := block.Serialize(&buf); err != nil {
			b.Fatal(err)
		}
		raw = append(raw, buf.Bytes())
	}
	return d, tip.Height, raw
}
