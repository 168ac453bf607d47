package psbt

import (
	"encoding/binary"
	"fmt"
)

// reader takes values off the front of a byte slice. What it returns are parts
// of that slice, so it allocates nothing, whatever a count claims.
type reader struct {
	buf   []byte
	items *int // what is left of maxItems
}

func newReader(buf []byte) *reader {
	items := maxItems
	return &reader{buf: buf, items: &items}
}

// sub returns a reader of part, drawing on the same item budget.
func (r *reader) sub(part []byte) *reader {
	return &reader{buf: part, items: r.items}
}

// spend takes n items off the budget.
func (r *reader) spend(n int) error {
	if n > *r.items {
		return fmt.Errorf("%w: more than %d items", ErrTooLarge, maxItems)
	}
	*r.items -= n
	return nil
}

func (r *reader) empty() bool { return len(r.buf) == 0 }

// take returns the next n bytes, with no room to append into what follows.
func (r *reader) take(n int) ([]byte, error) {
	if n > len(r.buf) {
		return nil, ErrTruncated
	}
	part := r.buf[:n:n]
	r.buf = r.buf[n:]
	return part, nil
}

// fill copies the next bytes into all of dst.
func (r *reader) fill(dst []byte) error {
	part, err := r.take(len(dst))
	if err != nil {
		return err
	}
	copy(dst, part)
	return nil
}

func (r *reader) uint32() (uint32, error) {
	part, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(part), nil
}

func (r *reader) uint64() (uint64, error) {
	part, err := r.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(part), nil
}

// compact reads a compact size integer and refuses one longer than it must be.
func (r *reader) compact() (uint64, error) {
	first, err := r.take(1)
	if err != nil {
		return 0, err
	}
	var size int
	var least uint64
	switch first[0] {
	case 0xfd:
		size, least = 2, 0xfd
	case 0xfe:
		size, least = 4, 1<<16
	case 0xff:
		size, least = 8, 1<<32
	default:
		return uint64(first[0]), nil
	}
	part, err := r.take(size)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], part)
	v := binary.LittleEndian.Uint64(wide[:])
	if v < least {
		return 0, fmt.Errorf("%w: integer not in its shortest form", ErrMalformed)
	}
	return v, nil
}

// count reads how many things follow that take at least size bytes each, and
// takes them off the budget. More than could follow is refused here.
func (r *reader) count(size int) (int, error) {
	v, err := r.compact()
	if err != nil {
		return 0, err
	}
	if v > uint64(len(r.buf)/size) {
		return 0, ErrTruncated
	}
	n := int(v)
	return n, r.spend(n)
}

// bytes reads a byte string with its length before it.
func (r *reader) bytes() ([]byte, error) {
	v, err := r.compact()
	if err != nil {
		return nil, err
	}
	if v > uint64(len(r.buf)) {
		return nil, ErrTruncated
	}
	return r.take(int(v))
}

// end refuses left-over bytes.
func (r *reader) end() error {
	if len(r.buf) != 0 {
		return fmt.Errorf("%w: %d too many", ErrTrailing, len(r.buf))
	}
	return nil
}

// appendCompact appends v as a compact size integer.
func appendCompact(b []byte, v uint64) []byte {
	switch {
	case v < 0xfd:
		return append(b, byte(v))
	case v < 1<<16:
		return binary.LittleEndian.AppendUint16(append(b, 0xfd), uint16(v))
	case v < 1<<32:
		return binary.LittleEndian.AppendUint32(append(b, 0xfe), uint32(v))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xff), v)
}

// appendBytes appends part with its length before it.
func appendBytes(b, part []byte) []byte {
	return append(appendCompact(b, uint64(len(part))), part...)
}
