package neutrino

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// linked writes n headers after the genesis header, each naming the one before.
func linked(t testing.TB, n int) (path string, last chainhash.Hash) {
	t.Helper()
	var all bytes.Buffer
	header := chaincfg.RegressionNetParams.GenesisBlock.Header
	for i := range n + 1 {
		if i > 0 {
			header = wire.BlockHeader{Version: 4, PrevBlock: last, Nonce: uint32(i)}
		}
		if err := header.Serialize(&all); err != nil {
			t.Fatal(err)
		}
		last = header.BlockHash()
	}
	path = filepath.Join(t.TempDir(), headersName)
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, last
}

// A letter changed anywhere in the block headers is found.
func TestCheckLinks(t *testing.T) {
	const height = 5 // the first, those between and the last
	path, want := linked(t, height)
	last, err := checkLinks(path, height, &chaincfg.RegressionNetParams)
	if err != nil || last != want {
		t.Fatalf("%v, %v", last, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		data[at] ^= 0x20
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		data[at] ^= 0x20
		// The last header has nothing after it: its hash is compared with the index.
		last, err := checkLinks(path, height, &chaincfg.RegressionNetParams)
		if err == nil && last == want || err != nil && !errors.Is(err, errDamaged) {
			t.Fatalf("byte %d: %v, %v", at, last, err)
		}
	}
	for _, n := range []int{0, 80, len(data) - 80, len(data) - 1} {
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := checkLinks(path, height, &chaincfg.RegressionNetParams); !errors.Is(err, errDamaged) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// BenchmarkCheckLinks reads as many headers as the main network has, which is done
// at every start. The floor is to hash each of them.
func BenchmarkCheckLinks(b *testing.B) {
	const height = 976_000
	path, _ := linked(b, height)
	b.Run("floor", func(b *testing.B) {
		var header [headerSize]byte
		for b.Loop() {
			for range height + 1 {
				h := chainhash.DoubleHashH(header[:])
				header[0] = h[0]
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if _, err := checkLinks(path, height, &chaincfg.RegressionNetParams); err != nil {
				b.Fatal(err)
			}
		}
	})
}
