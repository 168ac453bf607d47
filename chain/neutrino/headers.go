package neutrino

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/btcsuite/btcwallet/walletdb"
	"github.com/lightninglabs/neutrino/headerfs"
)

// errDamaged is what the headers on disk are when they contradict each other.
var errDamaged = errors.New("headers on disk contradict each other")

const (
	headersName       = "block_headers.bin"
	filterHeadersName = "reg_filter_headers.bin"
	headerSize        = wire.MaxBlockHeaderPayload // bytes
	filterHeaderSize  = chainhash.HashSize
)

// checkHeaders compares the two files of headers with their index and reads the
// block headers once from the first to the last: each names the one before it, and
// the last is the one that the index has. Of filter headers only the first and the
// number can be checked here: a damage further on shows when a peer does not agree.
//
// With fewer filter headers than a checkpoint spans the library would wait for the
// next block before it asks for the rest, so as many block headers are taken back:
// those it asks for at once.
func checkHeaders(db walletdb.DB, dir string, params *chaincfg.Params) error {
	// The files of these two are closed with the garbage: they have no Close.
	blocks, err := headerfs.NewBlockHeaderStore(dir, db, params)
	if err != nil {
		return fmt.Errorf("block headers: %w", err)
	}
	filters, err := headerfs.NewFilterHeaderStore(dir, db, headerfs.RegularFilter, params, nil)
	if err != nil {
		return fmt.Errorf("filter headers: %w", err)
	}
	_, height, err := blocks.ChainTip()
	if err != nil {
		return fmt.Errorf("%w: the last block header: %w", errDamaged, err)
	}
	last, err := checkLinks(filepath.Join(dir, headersName), height, params)
	if err != nil {
		return err
	}
	if h, err := blocks.HeightFromHash(&last); err != nil || h != height {
		return fmt.Errorf("%w: the index does not know the last block header", errDamaged)
	}
	known, err := checkFilters(filters, dir, params)
	if err != nil {
		return err
	}
	if known > height {
		return fmt.Errorf("%w: %d filter headers of %d blocks", errDamaged, known, height)
	}
	if ahead := height - known; ahead < wire.CFCheckptInterval {
		if _, err := blocks.RollbackBlockHeaders(ahead); err != nil {
			return fmt.Errorf("go back to the last filter header: %w", err)
		}
	}
	return nil
}

// checkFilters returns the height of the last filter header.
func checkFilters(filters headerfs.FilterHeaderStore, dir string, params *chaincfg.Params) (uint32, error) {
	_, height, err := filters.ChainTip()
	if err != nil {
		return 0, fmt.Errorf("%w: the last filter header: %w", errDamaged, err)
	}
	if err := checkSize(filepath.Join(dir, filterHeadersName), height, filterHeaderSize); err != nil {
		return 0, err
	}
	filter, err := builder.BuildBasicFilter(params.GenesisBlock, nil)
	if err != nil {
		return 0, fmt.Errorf("make the first filter: %w", err)
	}
	want, err := builder.MakeHeaderForFilter(filter, chainhash.Hash{})
	if err != nil {
		return 0, fmt.Errorf("make the first filter header: %w", err)
	}
	if first, err := filters.FetchHeaderByHeight(0); err != nil || *first != want {
		return 0, fmt.Errorf("%w: the first filter header is not that of %s", errDamaged, params.Name)
	}
	return height, nil
}

func checkSize(path string, height uint32, each int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at headers: %w", err)
	}
	if want := (int64(height) + 1) * each; info.Size() != want {
		return fmt.Errorf("%w: %s has %d bytes, its index calls for %d", errDamaged, filepath.Base(path), info.Size(), want)
	}
	return nil
}

// checkLinks returns the hash of the last header of the file.
func checkLinks(path string, height uint32, params *chaincfg.Params) (last chainhash.Hash, err error) {
	if err := checkSize(path, height, headerSize); err != nil {
		return last, err
	}
	f, err := os.Open(path)
	if err != nil {
		return last, fmt.Errorf("read headers: %w", err)
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReaderSize(f, 1<<20)
	var header [headerSize]byte
	for at := range height + 1 {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return last, fmt.Errorf("read headers: %w", err)
		}
		// A header begins with its version, of four bytes, and the hash of the one before.
		if prev := header[4 : 4+chainhash.HashSize]; !bytes.Equal(prev, last[:]) {
			return last, fmt.Errorf("%w: block header %d does not follow the one before", errDamaged, at)
		}
		last = chainhash.DoubleHashH(header[:])
		if at == 0 && last != *params.GenesisHash {
			return last, fmt.Errorf("%w: the first block header is not that of %s", errDamaged, params.Name)
		}
	}
	return last, nil
}
