package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// sealed returns a valid entry of each suite.
func sealed(t testing.TB) (cipher, plain *Entry) {
	t.Helper()
	id := NewIdentity([32]byte{1})
	ep := testEpoch()
	cipher, err := Seal(id, ep, Next{1, 1, EntryID{}}, []byte("event"), [24]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	plain, err = SealPlain(id, ep.Group, ep.ID(), Next{2, 7, EntryID{8}}, []byte("event"), [24]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	return cipher, plain
}

func testEpoch() Epoch {
	return Epoch{Group: GroupID{2}, Number: 3, Parent: EpochID{4}, Secret: [32]byte{5}}
}

func TestSizes(t *testing.T) {
	if MinEntrySize != 483 || MaxEntrySize != 262387 || MaxEventSize != 262140 {
		t.Errorf("sizes are %d, %d and %d", MinEntrySize, MaxEntrySize, MaxEventSize)
	}
	id, ep := NewIdentity([32]byte{1}), testEpoch()
	e, err := Seal(id, ep, Next{1, 1, EntryID{}}, make([]byte, MaxEventSize), [24]byte{})
	if err != nil || len(e.Bytes()) != MaxEntrySize {
		t.Fatalf("largest entry: %v", err)
	}
	if _, err := Decode(e.Bytes()); err != nil {
		t.Errorf("decode largest: %v", err)
	}
	e, err = SealPlain(id, ep.Group, ep.ID(), Next{1, 1, EntryID{}}, []byte{1}, [24]byte{})
	if err != nil || len(e.Bytes()) != MinEntrySize {
		t.Fatalf("smallest entry: %v", err)
	}
	if _, err := Decode(e.Bytes()); err != nil {
		t.Errorf("decode smallest: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	cipher, plain := sealed(t)
	c, p := cipher.Bytes(), plain.Bytes()
	seq := func(b []byte, n uint64) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint64(b[offSeq:], n)
		return b
	}
	noPrev := bytes.Clone(p)
	clear(noPrev[offPrev:offNonce])
	for _, tc := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"no bytes", nil, ErrMalformed},
		{"too short", p[:MinEntrySize-1], ErrMalformed},
		{"one byte more", append(bytes.Clone(c), 0), ErrMalformed},
		{"one byte less", c[:len(c)-1], ErrMalformed},
		{"plain of a sealed size", changed(c, offSuite, 0), ErrMalformed},
		{"sealed of a plain size", changed(p, offSuite, 1), ErrMalformed},
		{"over the limit", make([]byte, MaxEntrySize+1), ErrOversized},
		{"version 0", changed(c, offVersion, 0), ErrVersion},
		{"version 2", changed(c, offVersion, 2), ErrVersion},
		{"short of version 2", []byte{2}, ErrVersion},
		{"suite 2", changed(c, offSuite, 2), ErrVersion},
		{"incarnation 0", changed(p, offIncarnation, 0), ErrMalformed},
		{"incarnation 65", changed(p, offIncarnation, 65), ErrMalformed},
		{"seq 0", seq(p, 0), ErrMalformed},
		{"seq 2^63", seq(p, 1<<63), ErrMalformed},
		{"first with prev", changed(c, offPrev, 1), ErrMalformed},
		{"second without prev", noPrev, ErrMalformed},
	} {
		if _, err := Decode(tc.raw); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	for name, raw := range map[string][]byte{
		"incarnation 64":                    changed(p, offIncarnation, 64),
		"seq 2^63-1":                        seq(p, 1<<63-1),
		"first of incarnation 2, with prev": changed(changed(c, offIncarnation, 2), offPrev, 1),
	} {
		if _, err := Decode(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeKeepsNoReference(t *testing.T) {
	cipher, _ := sealed(t)
	raw := bytes.Clone(cipher.Bytes())
	e, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if err := e.Verify(); err != nil || !bytes.Equal(e.Bytes(), cipher.Bytes()) {
		t.Errorf("entry changed with the bytes it was read from: %v", err)
	}
}

func TestAppendDoesNotReachTheEntry(t *testing.T) {
	cipher, _ := sealed(t)
	_ = append(cipher.Body(), 1)
	_ = append(cipher.Bytes(), 1)
	if err := cipher.Verify(); err != nil {
		t.Error(err)
	}
}

func TestDecodeStored(t *testing.T) {
	cipher, plain := sealed(t)
	e, err := DecodeStored(cipher.Bytes(), cipher.ID())
	if err != nil || e.Header() != cipher.Header() {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := DecodeStored(cipher.Bytes(), plain.ID()); !errors.Is(err, ErrWrongID) {
		t.Errorf("another id: %v", err)
	}
	if _, err := DecodeStored(changed(cipher.Bytes(), offNonce, 77), cipher.ID()); !errors.Is(err, ErrWrongID) {
		t.Errorf("rotten nonce: %v", err)
	}
	if _, err := DecodeStored(nil, cipher.ID()); !errors.Is(err, ErrMalformed) {
		t.Errorf("no bytes: %v", err)
	}
}

// Whatever byte of header or body changes, the signature fails and the id is
// another; in the signature it fails and the id is the same.
func TestVerifyCoversEverything(t *testing.T) {
	cipher, plain := sealed(t)
	for _, e := range []*Entry{cipher, plain} {
		if err := e.Verify(); err != nil {
			t.Fatal(err)
		}
		raw := e.Bytes()
		for i := range raw {
			d, err := Decode(changed(raw, i, raw[i]^1))
			if err != nil {
				continue
			}
			if err := d.Verify(); !errors.Is(err, ErrSignature) {
				t.Errorf("byte %d: %v", i, err)
			}
			inSignature := i >= len(raw)-signatureSize
			if (d.ID() == e.ID()) != inSignature {
				t.Errorf("byte %d: id is the same: %v", i, !inSignature)
			}
		}
	}
}

func TestAccessors(t *testing.T) {
	_, plain := sealed(t)
	h := plain.Header()
	want := Header{
		Version: 1, Suite: 0, Group: GroupID{2}, Epoch: testEpoch().ID(), Author: NewIdentity([32]byte{1}).Author(),
		Incarnation: 2, Seq: 7, Prev: EntryID{8}, Nonce: [24]byte{9},
	}
	if h != want {
		t.Errorf("header %+v, want %+v", h, want)
	}
	if plain.Chain() != (ChainKey{h.Author, 2}) || plain.Position() != (Position{7, plain.ID()}) {
		t.Errorf("chain %v, position %v", plain.Chain(), plain.Position())
	}
	if len(plain.Body()) != 256 {
		t.Errorf("body of %d", len(plain.Body()))
	}
}

// What decodes is one encoding of one entry, and the header says what it holds.
func FuzzDecode(f *testing.F) {
	cipher, plain := sealed(f)
	f.Add(cipher.Bytes())
	f.Add(plain.Bytes())
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrOversized) && !errors.Is(err, ErrVersion) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		if !bytes.Equal(e.Bytes(), raw) {
			t.Fatal("bytes differ")
		}
		h := e.Header()
		if !bytes.Equal(h.append(nil), raw[:headerSize]) {
			t.Fatal("header differs")
		}
		if _, err := DecodeStored(raw, e.ID()); err != nil {
			t.Fatal(err)
		}
		_ = e.Verify()
		_, _ = OpenPlain(e)
		_, _ = Open(testEpoch(), e)
	})
}

// A body of suite 0 that opens is the one encoding of its event.
func FuzzOpenPlain(f *testing.F) {
	_, plain := sealed(f)
	f.Add(plain.Body())
	f.Add(make([]byte, 1024))
	head := plain.Bytes()[:headerSize]
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := append(append(bytes.Clone(head), body...), make([]byte, signatureSize)...)
		e, err := Decode(raw)
		if err != nil {
			return
		}
		event, err := OpenPlain(e)
		if err != nil {
			return
		}
		h := e.Header()
		again, err := SealPlain(NewIdentity([32]byte{1}), h.Group, h.Epoch, Next{h.Incarnation, h.Seq, h.Prev}, event, h.Nonce)
		if err != nil || again.ID() != e.ID() {
			t.Fatalf("event %x has two encodings: %v", event, err)
		}
	})
}
