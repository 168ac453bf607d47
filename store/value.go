package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Tags of a value, see the layout of keys.
const (
	tagInline = 0
	tagBlob   = 1
)

const (
	inlineHead = 1 + 4
	refLen     = 1 + 4 + 8 + 8
)

// ref says where a value is that is too large for one transaction.
type ref struct {
	crc    uint32
	blob   uint64
	length uint64
}

// checksum guards what no id covers: records, and the signature of an entry.
func checksum(v []byte) uint32 {
	return crc32.Checksum(v, crc32.MakeTable(crc32.Castagnoli))
}

func inline(v []byte) []byte {
	out := make([]byte, 0, inlineHead+len(v))
	out = append(out, tagInline)
	out = binary.BigEndian.AppendUint32(out, checksum(v))
	return append(out, v...)
}

func (r ref) encode() []byte {
	out := binary.BigEndian.AppendUint32([]byte{tagBlob}, r.crc)
	out = binary.BigEndian.AppendUint64(out, r.blob)
	return binary.BigEndian.AppendUint64(out, r.length)
}

// parseValue returns the bytes, or where they are. The bytes alias v.
func parseValue(v []byte) (plain []byte, r ref, isRef bool, err error) {
	switch {
	case len(v) >= inlineHead && v[0] == tagInline:
		plain = v[inlineHead:]
		if checksum(plain) != binary.BigEndian.Uint32(v[1:]) {
			return nil, ref{}, false, fmt.Errorf("%w: wrong checksum", ErrCorrupt)
		}
		return plain, ref{}, false, nil
	case len(v) == refLen && v[0] == tagBlob:
		r = ref{binary.BigEndian.Uint32(v[1:]), binary.BigEndian.Uint64(v[5:]), binary.BigEndian.Uint64(v[13:])}
		if r.length > MaxBatchBytes {
			return nil, ref{}, false, fmt.Errorf("%w: value of %d bytes", ErrCorrupt, r.length)
		}
		return nil, r, true, nil
	}
	return nil, ref{}, false, fmt.Errorf("%w: value of unknown form", ErrCorrupt)
}
