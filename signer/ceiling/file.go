package ceiling

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrDamaged is returned for a file in which something else stands than was written. It is
// never mended: what is lost of it was signed.
var ErrDamaged = errors.New("what the signer keeps of what it signed is damaged")

const (
	// header begins a file.
	header = "quorate signer ceiling 1\n"
	// maxLine bounds a record: a transaction of standard weight takes less.
	maxLine = 4 << 20
	sumLen  = 16 // bytes of a line's checksum
)

// file is what is kept, a record in each line, after a checksum of it and of all before it.
// A line without its end was not written whole, so nothing followed from it: it is cut off.
type file struct {
	f      *os.File
	size   int64 // of what was read and holds
	sum    [sumLen]byte
	broken error // it could not be written: what is on the disk is not known
}

// open opens a file, or makes it.
func open(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open what was signed: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the file of what was signed durable: %w", err), f.Close())
	}
	return &file{f: f}, nil
}

func (f *file) close() error { return f.f.Close() }

// follow reads what was added since, by whatever process. The file is locked.
func (f *file) follow(take func(record) error) error {
	if f.broken != nil {
		return f.broken
	}
	end, err := f.f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("read what was signed: %w", err)
	}
	if end < f.size {
		return fmt.Errorf("%w: %d bytes are gone from its end", ErrDamaged, f.size-end)
	}
	if end == f.size && f.size > 0 {
		return nil
	}
	b := make([]byte, end-f.size)
	if _, err := f.f.ReadAt(b, f.size); err != nil {
		return fmt.Errorf("read what was signed: %w", err)
	}
	if f.size == 0 {
		if len(b) < len(header) && header[:len(b)] == string(b) {
			return f.begin()
		}
		if !bytes.HasPrefix(b, []byte(header)) {
			return fmt.Errorf("%w: it does not begin as such a file", ErrDamaged)
		}
		f.size, f.sum, b = int64(len(header)), [sumLen]byte{}, b[len(header):]
	}
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return nil // not written whole
		}
		r, sum, err := readLine(f.sum, b[:n])
		if err == nil {
			err = take(r)
		}
		if err != nil {
			return fmt.Errorf("%w: at byte %d: %w", ErrDamaged, f.size, err)
		}
		f.size, f.sum, b = f.size+int64(n)+1, sum, b[n+1:]
	}
}

// begin writes the header of a new file.
func (f *file) begin() error {
	if err := f.write([]byte(header)); err != nil {
		return err
	}
	f.sum = [sumLen]byte{}
	return nil
}

// append keeps a record. It returns once that is on the disk.
func (f *file) append(r record) error {
	line, sum, err := writeLine(f.sum, r)
	if err != nil {
		return err
	}
	if err := f.write(line); err != nil {
		return err
	}
	f.sum = sum
	return nil
}

// write puts something after all that holds, in place of what was not written whole.
func (f *file) write(b []byte) error {
	err := f.f.Truncate(f.size)
	if err == nil {
		_, err = f.f.WriteAt(b, f.size)
	}
	if err == nil {
		err = f.f.Sync()
	}
	if err != nil {
		// Of a write that failed nobody knows what is on the disk.
		f.broken = fmt.Errorf("keep what is signed: %w", err)
		return f.broken
	}
	f.size += int64(len(b))
	return nil
}

// readLine reads a record after the sum of all before it.
func readLine(before [sumLen]byte, line []byte) (r record, sum [sumLen]byte, err error) {
	if len(line) < 2*sumLen+1 || len(line) > maxLine || line[2*sumLen] != ' ' {
		return r, sum, errors.New("no record")
	}
	told, err := hex.DecodeString(string(line[:2*sumLen]))
	if err != nil {
		return r, sum, errors.New("no checksum")
	}
	body := line[2*sumLen+1:]
	if sum = sumOf(before, body); !bytes.Equal(told, sum[:]) {
		return r, sum, errors.New("the checksum does not hold")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, sum, fmt.Errorf("no record: %w", err)
	}
	if again, err := json.Marshal(r); err != nil || !bytes.Equal(again, body) {
		return r, sum, errors.New("it is not written as this program does")
	}
	return r, sum, nil
}

func writeLine(before [sumLen]byte, r record) (line []byte, sum [sumLen]byte, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, sum, fmt.Errorf("keep what is signed: %w", err)
	}
	if len(body)+2*sumLen+1 > maxLine {
		return nil, sum, errors.New("keep what is signed: it takes too much room")
	}
	sum = sumOf(before, body)
	return fmt.Appendf(nil, "%x %s\n", sum, body), sum, nil
}

func sumOf(before [sumLen]byte, body []byte) (sum [sumLen]byte) {
	h := sha256.Sum256(append(before[:], body...))
	copy(sum[:], h[:])
	return sum
}
