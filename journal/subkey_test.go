package journal

import (
	"errors"
	"testing"
)

func TestSubkeyOpensOneEntry(t *testing.T) {
	id, ep := NewIdentity([32]byte{1}), testEpoch()
	seal := func(id *Identity, ep Epoch, at Next, event string, nonce [24]byte) *Entry {
		t.Helper()
		e, err := Seal(id, ep, at, []byte(event), nonce)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one := seal(id, ep, Next{1, 1, EntryID{}}, "one", [24]byte{9})
	key, err := Subkey(ep, one)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenWith(key, one); err != nil || string(got) != "one" {
		t.Errorf("%q, %v", got, err)
	}
	later := ep
	later.Number++
	twice := [24]byte{9}
	twice[SubkeyNonce] = 1
	for name, x := range map[string]struct {
		e     *Entry
		opens bool
	}{
		"another nonce":             {seal(id, ep, Next{1, 2, EntryID{1}}, "two", [24]byte{10}), false},
		"the last byte of 16":       {seal(id, ep, Next{1, 2, EntryID{1}}, "two", [24]byte{0: 9, 15: 1}), false},
		"another author":            {seal(NewIdentity([32]byte{2}), ep, Next{1, 1, EntryID{}}, "two", [24]byte{9}), false},
		"another epoch":             {seal(id, later, Next{1, 2, EntryID{1}}, "two", [24]byte{9}), false},
		"the same 16 bytes of it":   {seal(id, ep, Next{1, 2, EntryID{1}}, "two", twice), true},
		"the same nonce altogether": {seal(id, ep, Next{1, 2, EntryID{1}}, "two", [24]byte{9}), true},
	} {
		if _, err := OpenWith(key, x.e); x.opens != (err == nil) || !x.opens && !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Subkey(later, one); !errors.Is(err, ErrWrongEpoch) {
		t.Errorf("subkey of another epoch: %v", err)
	}
	_, plain := sealed(t)
	if _, err := Subkey(ep, plain); !errors.Is(err, ErrSuite) {
		t.Errorf("subkey of a plain entry: %v", err)
	}
	if _, err := OpenWith(key, plain); !errors.Is(err, ErrSuite) {
		t.Errorf("open a plain entry: %v", err)
	}
	raw := append([]byte(nil), one.Bytes()...)
	raw[len(raw)-signatureSize-1] ^= 1
	changed, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenWith(key, changed); !errors.Is(err, ErrSealed) {
		t.Errorf("open a changed body: %v", err)
	}
}
