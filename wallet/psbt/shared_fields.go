package psbt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// wrongSize says that a key or value has a size that its type never has.
func wrongSize(what string, n int) error {
	return fmt.Errorf("%w: %s of %d bytes", ErrMalformed, what, n)
}

// noKeyData refuses key data on a type that has none.
func noKeyData(data []byte) error {
	if len(data) != 0 {
		return wrongSize("key data", len(data))
	}
	return nil
}

func decodeUint32(data, value []byte) (*uint32, error) {
	if err := noKeyData(data); err != nil {
		return nil, err
	}
	if len(value) != 4 {
		return nil, wrongSize("value", len(value))
	}
	return new(binary.LittleEndian.Uint32(value)), nil
}

// decodeBytes returns a value of any size of a field without key data.
func decodeBytes(data, value []byte) ([]byte, error) {
	return value, noKeyData(data)
}

// decode32 returns a value of 32 bytes of a field without key data.
func decode32(data, value []byte) (*[32]byte, error) {
	if err := noKeyData(data); err != nil {
		return nil, err
	}
	if len(value) != 32 {
		return nil, wrongSize("value", len(value))
	}
	return (*[32]byte)(value), nil
}

func decodeOrigin(value []byte) (Origin, error) {
	if len(value) == 0 || len(value)%4 != 0 {
		return Origin{}, wrongSize("key origin", len(value))
	}
	o := Origin{Fingerprint: [4]byte(value), Path: make([]uint32, len(value)/4-1)}
	if err := checkCount("steps of a path", len(o.Path), MaxPath); err != nil {
		return Origin{}, err
	}
	for i := range o.Path {
		o.Path[i] = binary.LittleEndian.Uint32(value[4*i+4:])
	}
	return o, nil
}

func appendOrigin(b []byte, o Origin) []byte {
	b = append(b, o.Fingerprint[:]...)
	for _, step := range o.Path {
		b = binary.LittleEndian.AppendUint32(b, step)
	}
	return b
}

func decodeDerivation(data, value []byte) (Derivation, error) {
	o, err := decodeOrigin(value)
	return Derivation{PubKey: data, Origin: o}, err
}

func (f *fields) addDerivations(typ byte, ds []Derivation) {
	for _, d := range ds {
		f.addKey(key(typ, d.PubKey), appendOrigin(nil, d.Origin))
	}
}

// decodeTapDerivation reads the leaf hashes as a set: sorted, each once.
func decodeTapDerivation(r *reader, data []byte) (TapDerivation, error) {
	var d TapDerivation
	if len(data) != 32 {
		return d, wrongSize("x-only public key", len(data))
	}
	d.PubKey = [32]byte(data)
	n, err := r.count(32)
	if err != nil {
		return d, err
	}
	d.LeafHashes = make([][32]byte, n)
	for i := range d.LeafHashes {
		if err := r.fill(d.LeafHashes[i][:]); err != nil {
			return d, err
		}
	}
	d.LeafHashes = leafSet(d.LeafHashes)
	d.Origin, err = decodeOrigin(r.buf)
	return d, err
}

func leafSet(hashes [][32]byte) [][32]byte {
	slices.SortFunc(hashes, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(hashes)
}

func (f *fields) addTapDerivations(typ byte, ds []TapDerivation) {
	for _, d := range ds {
		hashes := leafSet(slices.Clone(d.LeafHashes))
		value := appendCompact(nil, uint64(len(hashes)))
		for _, h := range hashes {
			value = append(value, h[:]...)
		}
		f.addKey(key(typ, d.PubKey[:]), appendOrigin(value, d.Origin))
	}
}

func (f *fields) addMuSig2Participants(typ byte, ps []MuSig2Participants) {
	for _, p := range ps {
		value := make([]byte, 0, 33*len(p.Participants))
		for _, k := range p.Participants {
			value = append(value, k[:]...)
		}
		f.addKey(key(typ, p.Aggregate[:]), value)
	}
}

func decodeMuSig2Participants(data, value []byte) (MuSig2Participants, error) {
	var p MuSig2Participants
	if len(data) != 33 {
		return p, wrongSize("aggregate key", len(data))
	}
	if len(value)%33 != 0 {
		return p, wrongSize("participant keys", len(value))
	}
	p.Aggregate = [33]byte(data)
	p.Participants = make([][33]byte, 0, len(value)/33)
	for k := range slices.Chunk(value, 33) {
		p.Participants = append(p.Participants, [33]byte(k))
	}
	return p, nil
}

// decodeProprietary reads a vendor's key: identifier, subtype, key data.
func decodeProprietary(r *reader, value []byte) (Proprietary, error) {
	p := Proprietary{Value: value}
	var err error
	if p.Identifier, err = r.bytes(); err != nil {
		return p, err
	}
	if p.Subtype, err = r.compact(); err != nil {
		return p, err
	}
	p.Key = r.buf
	return p, nil
}

func (f *fields) addProprietary(ps []Proprietary) {
	for _, p := range ps {
		k := appendBytes([]byte{typeProprietary}, p.Identifier)
		f.addKey(append(appendCompact(k, p.Subtype), p.Key...), p.Value)
	}
}

// decodeUnknown keeps a field whose type this package does not know. The type
// is a compact size integer, which must be well formed for all that.
func decodeUnknown(r *reader, value []byte) (Unknown, error) {
	u := Unknown{Key: r.buf, Value: value}
	_, err := r.compact()
	return u, err
}

func (f *fields) addUnknown(us []Unknown) {
	for _, u := range us {
		f.addKey(u.Key, u.Value)
	}
}
