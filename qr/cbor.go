package qr

import (
	"encoding/binary"
	"fmt"
)

// The little of CBOR (RFC 8949) that a UR needs: unsigned numbers, byte
// strings and the head of an array, in the shortest form.

const (
	cborUint  = 0 << 5
	cborBytes = 2 << 5
	cborArray = 4 << 5
)

// appendHead writes a major type and its number.
func appendHead(out []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(out, major|byte(n))
	case n < 1<<8:
		return append(out, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(out, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(out, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(out, major|27), n)
}

// readHead reads a major type that is wanted and its number.
func readHead(in []byte, major byte) (n uint64, rest []byte, err error) {
	if len(in) == 0 || in[0]&0xe0 != major {
		return 0, nil, fmt.Errorf("%w: CBOR of another kind", ErrFrame)
	}
	info, in := in[0]&0x1f, in[1:]
	if info < 24 {
		return uint64(info), in, nil
	}
	size := 1 << (info - 24)
	if info > 27 || len(in) < size {
		return 0, nil, fmt.Errorf("%w: CBOR is cut short", ErrFrame)
	}
	for _, b := range in[:size] {
		n = n<<8 | uint64(b)
	}
	return n, in[size:], nil
}

// readBytes reads a byte string.
func readBytes(in []byte) (raw, rest []byte, err error) {
	n, in, err := readHead(in, cborBytes)
	if err != nil {
		return nil, nil, err
	}
	if n > uint64(len(in)) {
		return nil, nil, fmt.Errorf("%w: CBOR is cut short", ErrFrame)
	}
	return in[:n], in[n:], nil
}
