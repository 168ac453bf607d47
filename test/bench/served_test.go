package bench

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/chaintest/btcd"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/wallet"
)

// Blocks that a Bitcoin node serves, each of which pays the wallet.
const (
	servedBlocks = 150
	servedCoins  = 20 // in each block
	servedUses   = 5  // of each address
	servedTxs    = 500
)

// servedChain is a btcd with valid blocks that pay a wallet.
type servedChain struct {
	node   *btcd.Node
	rpc    *rpcclient.Client
	who    *cosigner
	before int32 // the block after which the wallet is paid
	hashes []chainhash.Hash
	// scripts are those that are paid.
	scripts [][]byte
	bytes   int

	params *chaincfg.Params
	prev   chainhash.Hash
	height int32
	start  time.Time
	pool   []regtest.Coin // that anyone can spend, oldest first
}

// serve starts a node and gives it the blocks.
func serve(b *testing.B) *servedChain {
	b.Helper()
	node, err := btcd.New(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := node.Kill(); err != nil {
			b.Errorf("stop btcd: %v", err)
		}
	})
	rpc, err := rpcclient.New(&rpcclient.ConnConfig{
		Host: node.Host, User: node.User, Pass: node.Password, DisableTLS: true, HTTPPostMode: true, Params: "regtest",
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(rpc.Shutdown)
	c := &servedChain{node: node, rpc: rpc, who: active(b, 2, 3)[0], params: regtest.Params()}
	c.prev, c.start = *c.params.GenesisHash, time.Now().Add(-time.Minute*(regtest.Maturity+servedBlocks+10))
	coinbase := c.add(b).Transactions[0]
	for range regtest.Maturity {
		c.add(b)
	}
	// Enough that no block spends what it pays.
	split := wire.NewMsgTx(2)
	split.AddTxIn(anyone(regtest.Coin{OutPoint: wire.OutPoint{Hash: coinbase.TxHash()}}))
	const pool = 4 * servedTxs
	for range pool {
		split.AddTxOut(wire.NewTxOut(coinbase.TxOut[0].Value/pool, anyoneScript()))
	}
	c.keep(split, pool)
	c.add(b, split)
	c.before = c.height
	d := c.who.m.State.Active().Descriptor
	for n := range servedBlocks {
		var txs []*wire.MsgTx
		for i := range servedTxs {
			if i%(servedTxs/servedCoins) > 0 {
				txs = append(txs, c.spend())
				continue
			}
			coin := n*servedCoins + i*servedCoins/servedTxs
			s, err := d.Script(wallet.BranchExternal, uint32(coin/servedUses))
			if err != nil {
				b.Fatal(err)
			}
			if coin%servedUses == 0 {
				c.scripts = append(c.scripts, s.PkScript)
			}
			txs = append(txs, c.spend(wire.NewTxOut(1000+int64(coin), s.PkScript)))
		}
		c.bytes += c.add(b, txs...).SerializeSize()
		c.hashes = append(c.hashes, c.prev)
	}
	return c
}

// add mines a block.
func (c *servedChain) add(b *testing.B, txs ...*wire.MsgTx) *wire.MsgBlock {
	b.Helper()
	c.height++
	m, err := regtest.Block(c.params, regtest.Template{
		Prev: c.prev, Height: c.height, Time: c.start.Add(time.Duration(c.height) * time.Minute), PayTo: anyoneScript(), Txs: txs,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.rpc.SubmitBlock(btcutil.NewBlock(m), nil); err != nil {
		b.Fatalf("block %d: %v", c.height, err)
	}
	c.prev = m.BlockHash()
	return m
}

// anyoneProgram takes a witness as large as that of a single key. The outputs
// are of the wallet's own kind, so that none is told apart by its shape.
func anyoneProgram() []byte { return []byte{txscript.OP_2DROP, txscript.OP_TRUE} }

func anyoneScript() []byte {
	h := sha256.Sum256(anyoneProgram())
	return append([]byte{txscript.OP_0, txscript.OP_DATA_32}, h[:]...)
}

func anyone(c regtest.Coin) *wire.TxIn {
	return &wire.TxIn{PreviousOutPoint: c.OutPoint, Witness: wire.TxWitness{make([]byte, 72), make([]byte, 33), anyoneProgram()}}
}

// spend turns the two oldest coins of the pool into two others, less outs.
func (c *servedChain) spend(outs ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	left := int64(0)
	for _, coin := range c.pool[:2] {
		tx.AddTxIn(anyone(coin))
		left += coin.Amount
	}
	c.pool = c.pool[2:]
	for _, o := range outs {
		left -= o.Value
	}
	for range 2 {
		tx.AddTxOut(wire.NewTxOut(left/2, anyoneScript()))
	}
	tx.TxOut = append(tx.TxOut, outs...)
	c.keep(tx, 2)
	return tx
}

// keep puts the first outputs of a transaction into the pool.
func (c *servedChain) keep(tx *wire.MsgTx, outputs int) {
	hash := tx.TxHash()
	for i, o := range tx.TxOut[:outputs] {
		c.pool = append(c.pool, regtest.Coin{OutPoint: wire.OutPoint{Hash: hash, Index: uint32(i)}, Amount: o.Value})
	}
}
