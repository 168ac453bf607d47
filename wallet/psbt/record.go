package psbt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 Bitcoin's HASH160 is made of it
)

// record is one field as it is on the wire. The key holds the type too.
type record struct {
	key   []byte
	value []byte
	rank  int
	order [2][]byte // among records of the same rank
}

// fields gathers the records of one map.
type fields struct {
	kind    mapKind
	records []record
}

// add adds a field with no key data.
func (f *fields) add(typ byte, value []byte) {
	f.addKey([]byte{typ}, value)
}

// addKey adds a field by its whole key.
func (f *fields) addKey(key, value []byte) {
	f.records = append(f.records, record{key: key, value: value})
}

// addUint32 adds a field whose value is a 32-bit integer, unless it is nil.
func (f *fields) addUint32(typ byte, value *uint32) {
	if value != nil {
		f.add(typ, binary.LittleEndian.AppendUint32(nil, *value))
	}
}

// addSome adds a field unless its value is nil.
func (f *fields) addSome(typ byte, value []byte) {
	if value != nil {
		f.add(typ, value)
	}
}

// key joins a type and the parts of the key data.
func key(typ byte, parts ...[]byte) []byte {
	n := 1
	for _, part := range parts {
		n += len(part)
	}
	k := append(make([]byte, 0, n), typ)
	for _, part := range parts {
		k = append(k, part...)
	}
	return k
}

// sort puts the records in canonical order: the one in which Bitcoin Core writes
// them.
func (f *fields) sort() {
	for i := range f.records {
		f.records[i].rank = f.kind.rank(f.records[i].key[0])
		f.records[i].order = f.order(&f.records[i])
	}
	slices.SortFunc(f.records, func(a, b record) int {
		return cmp.Or(
			a.rank-b.rank,
			bytes.Compare(a.order[0], b.order[0]),
			bytes.Compare(a.order[1], b.order[1]),
			bytes.Compare(a.key, b.key),
		)
	})
}

// order returns what decides between records of one type. Core keeps most in
// maps by their key data; these are the others.
func (f *fields) order(r *record) [2][]byte {
	data := r.key[1:]
	typ := r.key[0]
	switch {
	case f.kind == globalMap && typ == globalXPub:
		return [2][]byte{originOrder(r.value), data[min(len(data), 45):]}
	case f.kind == inputMap && typ == inPartialSig:
		return [2][]byte{hash160(data)}
	case f.kind == inputMap && typ == inTapLeafScript && len(r.value) != 0:
		last := len(r.value) - 1
		size := binary.BigEndian.AppendUint32([]byte{r.value[last]}, uint32(len(data)))
		return [2][]byte{r.value[:last], append(size, data...)}
	case f.kind == inputMap && len(data) >= 66 && (typ == inMuSig2PubNonce || typ == inMuSig2PartialSig):
		var group [65]byte // aggregate key, leaf hash or zeros
		copy(group[:], data[33:])
		return [2][]byte{group[:], data[:33]}
	}
	return [2][]byte{r.key}
}

// originOrder orders origins by fingerprint, length of the path, and path.
func originOrder(value []byte) []byte {
	if len(value) < 4 {
		return value
	}
	order := append(make([]byte, 0, len(value)+4), value[:4]...)
	order = binary.BigEndian.AppendUint32(order, uint32(len(value)))
	for step := range slices.Chunk(value[4:], 4) {
		for _, b := range slices.Backward(step) {
			order = append(order, b)
		}
	}
	return order
}

func hash160(data []byte) []byte {
	sum := sha256.Sum256(data)
	h := ripemd160.New()
	h.Write(sum[:])
	return h.Sum(nil)
}

// check refuses duplicate keys and fields over the limits.
func (f *fields) check() error {
	if err := checkCount("fields", len(f.records), MaxFields); err != nil {
		return err
	}
	seen := make(map[string]struct{}, len(f.records))
	for i := range f.records {
		k := f.records[i].key
		if err := checkCount("bytes of a key", len(k), MaxKeySize); err != nil {
			return err
		}
		if _, dup := seen[string(k)]; dup {
			return fmt.Errorf("%w: field %#02x", ErrDuplicate, k[0])
		}
		seen[string(k)] = struct{}{}
	}
	return nil
}

// append appends the map: its fields in canonical order, then the separator.
func (f *fields) append(b []byte) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	f.sort()
	for i := range f.records {
		b = appendBytes(b, f.records[i].key)
		b = appendBytes(b, f.records[i].value)
	}
	return append(b, 0), nil
}

// readFields reads one map and puts its fields in canonical order.
func readFields(r *reader, kind mapKind) (*fields, error) {
	f := &fields{kind: kind}
	for {
		k, err := r.bytes()
		if err != nil {
			return nil, err
		}
		if len(k) == 0 {
			break
		}
		if len(f.records) == MaxFields {
			return nil, fmt.Errorf("%w: more than %d fields", ErrTooLarge, MaxFields)
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
		v, err := r.bytes()
		if err != nil {
			return nil, err
		}
		f.addKey(k, v)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	f.sort()
	return f, nil
}
