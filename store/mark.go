package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Badger cuts a log at the first transaction it cannot read, and deletes tables
// that its MANIFEST does not name: that is right for what a crash interrupted,
// and wrong for what was acknowledged. A node that goes on from there would sign
// against its own guard, and write its chain anew. So how many commits were
// acknowledged is also kept in a file of its own, and Open refuses a store that
// holds fewer.
//
// The file is written after the batch is durable, and is not synced: a power cut
// may leave it behind the store, never ahead of it.

const (
	markName  = "acknowledged"
	markMagic = "QAK1"
	// markLen: magic, commits (u64), CRC-32C of these.
	markLen = 4 + 8 + 4
)

type mark struct {
	mu      sync.Mutex
	f       *os.File
	commits uint64
}

func openMark(dir string) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open mark: %w", err)
	}
	return markOf(f)
}

// readMark is openMark of a file that is not to be made or changed.
func readMark(dir string) (*mark, error) {
	f, err := os.Open(filepath.Join(dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the file %q is not there", ErrUnclean, markName)
	}
	if err != nil {
		return nil, fmt.Errorf("open mark: %w", err)
	}
	return markOf(f)
}

// markOf reads the mark in a file, which it closes where that is none.
func markOf(f *os.File) (*mark, error) {
	m := &mark{f: f}
	raw, err := io.ReadAll(io.LimitReader(f, markLen+1))
	if err == nil {
		m.commits, err = parseMark(raw)
	}
	if err != nil {
		m.close()
		return nil, fmt.Errorf("read mark: %w", err)
	}
	return m, nil
}

// parseMark reads a mark. An empty one is of a new store, or one of before there
// were marks; zeros are what a file system may leave of the first one when the
// power fails before its bytes are written.
func parseMark(raw []byte) (uint64, error) {
	switch {
	case len(raw) <= markLen && len(bytes.Trim(raw, "\x00")) == 0:
		return 0, nil
	case len(raw) != markLen || string(raw[:4]) != markMagic:
		return 0, fmt.Errorf("%w: the file %q is not what was written", ErrCorrupt, markName)
	case crc32.Checksum(raw[:markLen-4], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(raw[markLen-4:]):
		return 0, fmt.Errorf("%w: the file %q has a wrong checksum", ErrCorrupt, markName)
	}
	return binary.BigEndian.Uint64(raw[4:]), nil
}

func (m *mark) bytes() []byte {
	b := binary.BigEndian.AppendUint64([]byte(markMagic), m.commits)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// add counts what was acknowledged.
func (m *mark) add(commits uint64) error {
	if commits == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits += commits
	if _, err := m.f.WriteAt(m.bytes(), 0); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	return nil
}

func (m *mark) close() { _ = m.f.Close() }

// checkMark refuses a store that holds less than was acknowledged, and brings a
// mark that is behind up to date.
func (s *Badger) checkMark() error {
	commits := uint64(0)
	err := s.db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{spaceCommits}, func(item *badger.Item) error {
			return item.Value(func(v []byte) error {
				n, err := parseCount(v)
				commits += n
				return err
			})
		})
	})
	if err != nil {
		return fmt.Errorf("count commits: %w", err)
	}
	if commits < s.mark.commits {
		return fmt.Errorf("%w: a log was cut: the last %d of %d batches that were written are gone", ErrCorrupt, s.mark.commits-commits, s.mark.commits)
	}
	if s.readOnly {
		return nil
	}
	return s.mark.add(commits - s.mark.commits)
}
