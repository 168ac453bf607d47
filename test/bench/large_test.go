package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

// A large wallet: coins come address by address, as the gap limit allows, each
// in a transaction of its own between those of others.
const (
	largeCoins     = 10_000
	largeAddresses = 2_000
	largeBlocks    = 500
	foreignTxs     = 500 // in each block
)

// rawChain is a Bitcoin node that holds its blocks as bytes.
type rawChain struct {
	blocks [][]byte // index is height
	refs   []port.BlockRef
	asked  int // how often a block was fetched and decoded
}

func (c *rawChain) Tip(context.Context) (port.BlockRef, bool, error) {
	return c.refs[len(c.refs)-1], false, nil
}

func (c *rawChain) HashAt(_ context.Context, height int32) (chainhash.Hash, error) {
	if height < 0 || int(height) >= len(c.refs) {
		return chainhash.Hash{}, follow.ErrNoBlock
	}
	return c.refs[height].Hash, nil
}

func (c *rawChain) Block(_ context.Context, _ chainhash.Hash, height int32) (*follow.Block, error) {
	c.asked++
	var m wire.MsgBlock
	if err := m.Deserialize(bytes.NewReader(c.blocks[height])); err != nil {
		return nil, err
	}
	return &follow.Block{Ref: c.refs[height], Prev: m.Header.PrevBlock, Txs: m.Transactions}, nil
}

func (*rawChain) Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64) { return nil, mark }
func (*rawChain) Changed() <-chan struct{}                        { return nil }

// large is the wallet before it has seen a block, and the chain that pays it.
type large struct {
	who   *cosigner
	chain *rawChain

	once sync.Once
	full coordinator.Machine // with all blocks taken in
}

var theLarge = sync.OnceValue(func() *large { return &large{} })

// largeWallet makes it once for all benchmarks.
func largeWallet(b *testing.B) *large {
	b.Helper()
	l := theLarge()
	l.once.Do(func() {
		l.who = active(b, 2, 3)[0]
		l.chain = payingChain(b, l.who.m.State.Active().Descriptor)
		l.full = l.scan(b)
	})
	l.who.tb = b
	return l
}

func payingChain(b *testing.B, d *wallet.Descriptor) *rawChain {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	pay := func(n uint64, script []byte, amount int64) *wire.MsgTx {
		tx := wire.NewMsgTx(2)
		for i := range 2 {
			hash := chainhash.HashH(fmt.Appendf(nil, "coin %d %d", n, i))
			tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: hash}, Witness: wire.TxWitness{make([]byte, 72), make([]byte, 33)}})
		}
		tx.AddTxOut(wire.NewTxOut(amount, script))
		tx.AddTxOut(wire.NewTxOut(1_000_000, append([]byte{0, 20}, tx.TxIn[0].PreviousOutPoint.Hash[:20]...)))
		return tx
	}
	var foreign []*wire.MsgTx
	for n := range foreignTxs {
		foreign = append(foreign, pay(uint64(n), append([]byte{0, 20}, make([]byte, 20)...), 1000))
	}
	params := &chaincfg.RegressionNetParams
	c := &rawChain{}
	add := func(m *wire.MsgBlock) {
		var raw bytes.Buffer
		if err := m.Serialize(&raw); err != nil {
			b.Fatal(err)
		}
		t := m.Header.Timestamp.Unix()
		c.refs = append(c.refs, port.BlockRef{Height: int32(len(c.blocks)), Hash: m.BlockHash(), Time: t, MedianTime: t})
		c.blocks = append(c.blocks, raw.Bytes())
	}
	add(params.GenesisBlock)
	for n := range largeBlocks {
		txs := foreign[: foreignTxs/2 : foreignTxs/2]
		for i := n * largeCoins / largeBlocks; i < (n+1)*largeCoins/largeBlocks; i++ {
			s, err := d.Script(wallet.BranchExternal, uint32(i*largeAddresses/largeCoins))
			if err != nil {
				b.Fatal(err)
			}
			txs = append(txs, pay(uint64(foreignTxs+i), s.PkScript, 10_000+int64(rng.ExpFloat64()*1_000_000)))
		}
		m, err := regtest.Block(params, regtest.Template{
			Prev: c.refs[n].Hash, Height: int32(n + 1), Time: time.Unix(1_770_000_000+600*int64(n), 0), PayTo: []byte{0x51},
			Txs: append(txs, foreign[foreignTxs/2:]...),
		})
		if err != nil {
			b.Fatal(err)
		}
		add(m)
	}
	return c
}

// scan takes the chain in through Step, block by block.
func (l *large) scan(b *testing.B) coordinator.Machine {
	b.Helper()
	m := l.who.m
	calls := uint64(0)
	for height := 1; height <= largeBlocks; height++ {
		x, err := l.chain.Block(b.Context(), chainhash.Hash{}, int32(height))
		if err != nil {
			b.Fatal(err)
		}
		var effects []coordinator.Effect
		m, effects = l.step(b, m, coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.Connected, Block: x.Ref, Prev: x.Prev, Txs: x.Txs}})
		for _, e := range effects {
			if _, ok := e.(coordinator.WatchScripts); ok {
				calls++
				m, _ = l.step(b, m, coordinator.Watched{Call: calls})
			}
		}
	}
	m, _ = l.step(b, m, coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.CaughtUp, Watches: calls}})
	return l.check(b, m)
}

// follow takes the chain in as a node does: from a backend without filters.
func (l *large) follow(b *testing.B) coordinator.Machine {
	b.Helper()
	var set follow.Set
	defer set.Close()
	m := l.who.m
	f, err := set.Start(b.Context(), l.chain, follow.Options{Scripts: m.View.Scripts()})
	if err != nil {
		b.Fatal(err)
	}
	return l.check(b, l.take(b, m, f, largeBlocks, func([]coordinator.Effect) {}))
}

// take steps through what a follower streams, until it has caught up at a height.
func (l *large) take(b *testing.B, m coordinator.Machine, f port.Follower, until int32, also func([]coordinator.Effect)) coordinator.Machine {
	b.Helper()
	calls := uint64(0)
	for n := range f.Notices() {
		var effects, more []coordinator.Effect
		m, effects = l.step(b, m, coordinator.ChainIn{Notice: n})
		also(effects)
		for _, e := range effects {
			if w, ok := e.(coordinator.WatchScripts); ok {
				if err := f.Watch(b.Context(), w.Scripts, w.From); err != nil {
					b.Fatal(err)
				}
				calls++
				m, more = l.step(b, m, coordinator.Watched{Call: calls})
				also(more)
			}
		}
		if n.Kind == port.CaughtUp && n.Block.Height == until && n.Watches == calls {
			break
		}
	}
	return m
}

func (l *large) check(b *testing.B, m coordinator.Machine) coordinator.Machine {
	b.Helper()
	if got := len(coordinator.Coins(m.State, m.View, l.now())); got != largeCoins || !m.View.Synced() {
		b.Fatalf("%d coins", got)
	}
	return m
}

func (l *large) now() time.Time { return time.Unix(1_780_000_000, 0) }

func (l *large) step(b *testing.B, m coordinator.Machine, msg coordinator.Message) (coordinator.Machine, []coordinator.Effect) {
	b.Helper()
	next, effects, err := coordinator.Step(m, l.who.input(msg))
	if err != nil {
		b.Fatal(err)
	}
	return next, effects
}

// BenchmarkLargeScan takes 500 blocks in that fill a wallet with 10,000 coins
// on 2,000 addresses: block by block, and through a follower with the rescans
// that new addresses ask for. Floor: the same blocks fetched and decoded.
func BenchmarkLargeScan(b *testing.B) {
	l := largeWallet(b)
	run := func(name string, f func(b *testing.B) any) {
		b.Run(name, func(b *testing.B) {
			l.chain.asked = 0
			before := heap()
			var kept any
			for b.Loop() {
				kept = f(b)
			}
			b.ReportMetric(float64(l.chain.asked)/float64(b.N), "fetched/op")
			b.ReportMetric(float64(heap()-before)/(1<<20), "held-MiB")
			runtime.KeepAlive(kept)
		})
	}
	run("step", func(b *testing.B) any { return l.scan(b) })
	run("follow", func(b *testing.B) any { return l.follow(b) })
	run("floor-decode", func(b *testing.B) any {
		n := 0
		for height := 1; height <= largeBlocks; height++ {
			x, err := l.chain.Block(b.Context(), chainhash.Hash{}, int32(height))
			if err != nil {
				b.Fatal(err)
			}
			n += len(x.Txs)
		}
		return n
	})
}

// heap is what is reachable now, in bytes.
func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkLargeCoins lists 10,000 coins. Floor: walking a map of as many.
func BenchmarkLargeCoins(b *testing.B) {
	l := largeWallet(b)
	b.Run("coins", func(b *testing.B) {
		for b.Loop() {
			if got := len(coordinator.Coins(l.full.State, l.full.View, l.now())); got != largeCoins {
				b.Fatalf("%d coins", got)
			}
		}
	})
	b.Run("floor-walk", func(b *testing.B) {
		var m pmap.Map[string, ledger.ViewOut]
		for _, c := range coordinator.Coins(l.full.State, l.full.View, l.now()) {
			m = m.Set(c.OutPoint.String(), c.ViewOut)
		}
		for b.Loop() {
			out := make([]coordinator.Coin, 0, m.Len())
			for _, o := range m.All() {
				out = append(out, coordinator.Coin{ViewOut: o})
			}
			if len(out) != largeCoins {
				b.Fatal(len(out))
			}
		}
	})
}

// BenchmarkLargePropose proposes a payment from 10,000 coins: coin selection,
// every rule, this node's signatures, every rule again, the entries. Floors:
// the selection alone, and the signatures alone.
func BenchmarkLargePropose(b *testing.B) {
	l := largeWallet(b)
	var coins []coinselect.Coin
	var sum int64
	for _, c := range coordinator.Coins(l.full.State, l.full.View, l.now()) {
		coins = append(coins, coinselect.Coin{OutPoint: c.OutPoint, Amount: c.Amount})
		sum += c.Amount
	}
	pay := append([]byte{0, 20}, make([]byte, 20)...)
	change, err := l.full.State.Active().Descriptor.Script(wallet.BranchChange, 0)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		amount int64
		rate   wallet.FeeRate
	}{
		{"small", 500_000, 5000},
		{"medium", 25_000_000, 5000},
		{"medium/dear", 25_000_000, 50_000},
		{"hundreds", sum / 20, 5000},
	} {
		propose := coordinator.Propose{
			Outputs: []event.ProposalOutput{{PkScript: pay, Amount: c.amount}}, FeeRate: c.rate, Note: "rent",
			Allow: []string{refusal.Fee},
		}
		ask := func(b *testing.B) coordinator.Sign {
			b.Helper()
			_, effects := l.step(b, l.full, propose)
			for _, e := range effects {
				if x, ok := e.(coordinator.Sign); ok {
					return x
				}
			}
			b.Fatal("nothing to sign")
			return coordinator.Sign{}
		}
		b.Run(c.name+"/propose", func(b *testing.B) {
			inputs := 0
			for b.Loop() {
				x := ask(b)
				if x.Signed.Signatures, err = x.Spend.Sign(l.who.account); err != nil {
					b.Fatal(err)
				}
				m, _ := l.step(b, l.full, x.Signed)
				if m.State.Chains().Len() == l.full.State.Chains().Len() {
					b.Fatal("nothing was written")
				}
				inputs += len(x.Signed.Draft.Inputs)
			}
			b.ReportMetric(float64(inputs)/float64(b.N), "inputs/op")
		})
		b.Run(c.name+"/floor-select", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := coinselect.Select(coinselect.Request{
					InputWeight: int64(l.full.State.Active().Descriptor.InputWeight()), Coins: coins, ChangeScript: change.PkScript, FeeRate: c.rate,
					Outputs: []coinselect.Output{{PkScript: pay, Amount: c.amount}}, Seed: [32]byte{byte(i)},
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/floor-sign", func(b *testing.B) {
			x := ask(b)
			for b.Loop() {
				if _, err := x.Spend.Sign(l.who.account); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(x.Signed.Draft.Inputs)), "inputs/op")
		})
	}
}
