package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables verifies the index of every table. Badger (v4.9.6) does so too,
// but reads lengths from a damaged table first and then ends the process, in a
// goroutine of its own where nobody can stop it.
func checkTables(dir string) error {
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, path := range tables {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open table: %w", err)
		}
		err = checkTableIndex(f)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("%w: table %s: %w", ErrCorrupt, filepath.Base(path), err)
		}
	}
	return nil
}

// A table ends with: index, its length (4), a pb.Checksum of it, its length (4).
func checkTableIndex(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end := info.Size()
	if end == 0 {
		return nil // never finished, and in no MANIFEST
	}
	part := func(n int64) ([]byte, error) {
		if n > end {
			return nil, errors.New("truncated")
		}
		end -= n
		b := make([]byte, n)
		_, err := f.ReadAt(b, end)
		return b, err
	}
	sized := func() ([]byte, error) {
		n, err := part(4)
		if err != nil {
			return nil, err
		}
		return part(int64(binary.BigEndian.Uint32(n)))
	}
	raw, err := sized()
	if err != nil {
		return err
	}
	sum := new(pb.Checksum)
	if err := proto.Unmarshal(raw, sum); err != nil {
		return err
	}
	if sum.Algo != pb.Checksum_CRC32C && sum.Algo != pb.Checksum_XXHash64 {
		return fmt.Errorf("checksum %d is unknown", sum.Algo)
	}
	index, err := sized()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return y.VerifyChecksum(index, sum)
}
