package chainfigures

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/btcsuite/btcwallet/walletdb"
	_ "github.com/btcsuite/btcwallet/walletdb/bdb" // the driver that BenchmarkHeaderIndex names
	"github.com/lightninglabs/neutrino/headerfs"
)

// BenchmarkHeaderIndex fills the light client's database with the headers of
// the main network, in messages of 2,000, and reports its size: half a minute.
func BenchmarkHeaderIndex(b *testing.B) {
	const height = 976_000
	for b.Loop() {
		dir := b.TempDir()
		path := filepath.Join(dir, "neutrino.db")
		db, err := walletdb.Create("bdb", path, true, time.Second, false)
		if err != nil {
			b.Fatal(err)
		}
		headers, err := headerfs.NewBlockHeaderStore(dir, db, &chaincfg.MainNetParams)
		if err != nil {
			b.Fatal(err)
		}
		filters, err := headerfs.NewFilterHeaderStore(dir, db, headerfs.RegularFilter, &chaincfg.MainNetParams, nil)
		if err != nil {
			b.Fatal(err)
		}
		var prev chainhash.Hash
		for at := uint32(1); at <= height; at += wire.MaxBlockHeadersPerMsg {
			var hs []headerfs.BlockHeader
			var fs []headerfs.FilterHeader
			for h := at; h < at+wire.MaxBlockHeadersPerMsg && h <= height; h++ {
				x := &wire.BlockHeader{PrevBlock: prev, MerkleRoot: sha256.Sum256(binary.BigEndian.AppendUint32(nil, h))}
				prev = x.BlockHash()
				hs = append(hs, headerfs.BlockHeader{BlockHeader: x, Height: h})
				fs = append(fs, headerfs.FilterHeader{HeaderHash: prev, FilterHash: x.MerkleRoot, Height: h})
			}
			if err := headers.WriteHeaders(hs...); err != nil {
				b.Fatal(err)
			}
			if err := filters.WriteHeaders(fs...); err != nil {
				b.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}

// BenchmarkDecodedBlock decodes a block of ordinary payments and reports how
// much of the heap it takes, in times its size: as the light client's cache
// keeps it.
func BenchmarkDecodedBlock(b *testing.B) {
	raw := payments(b, 1_800_000)
	var kept *btcutil.Block
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		var m wire.MsgBlock
		if err := m.Deserialize(bytes.NewReader(raw)); err != nil {
			b.Fatal(err)
		}
		kept = btcutil.NewBlock(&m)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(raw)), "times")
	runtime.KeepAlive(kept)
	runtime.KeepAlive(raw)
}

// payments is a block of so many bytes of payments with two inputs and two outputs.
func payments(tb testing.TB, size int) []byte {
	tb.Helper()
	block := &wire.MsgBlock{}
	for n, total := 0, 0; total < size; n++ {
		tx := wire.NewMsgTx(2)
		for i := range 2 {
			hash := chainhash.HashH([]byte{byte(n), byte(n >> 8), byte(i)})
			tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: hash}, Witness: wire.TxWitness{make([]byte, 72), make([]byte, 33)}})
			tx.AddTxOut(wire.NewTxOut(int64(n), append([]byte{0, 20}, hash[:20]...)))
		}
		total += tx.SerializeSize()
		block.Transactions = append(block.Transactions, tx)
	}
	var b bytes.Buffer
	if err := block.Serialize(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}
