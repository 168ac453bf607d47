package journal

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"testing"
)

func sealingKey(t testing.TB, seed byte) *SealingKey {
	t.Helper()
	k, err := NewSealingKey([32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealSecret(t *testing.T) {
	k, ep := sealingKey(t, 1), testEpoch()
	author, to := Author{1}, Author{2}
	stanza, err := SealSecret(ep, author, to, k.Public())
	if err != nil || len(stanza) != StanzaSize {
		t.Fatalf("%d bytes, %v", len(stanza), err)
	}
	got, err := OpenSecret(k, ep.Group, ep.ID(), ep.Number, ep.Parent, author, to, stanza)
	if err != nil || got != ep {
		t.Fatalf("%v, %v", got, err)
	}
	open := func(k *SealingKey, ep Epoch, id EpochID, author, to Author, stanza []byte) error {
		got, err := OpenSecret(k, ep.Group, id, ep.Number, ep.Parent, author, to, stanza)
		if err != nil && got != (Epoch{}) {
			t.Error("an error and an epoch")
		}
		return err
	}
	group, number, parent := ep, ep, ep
	group.Group[0]++
	number.Number++
	parent.Parent[0]++
	for name, tc := range map[string]struct{ got, want error }{
		"another key":       {open(sealingKey(t, 2), ep, ep.ID(), author, to, stanza), ErrStanza},
		"another group":     {open(k, group, ep.ID(), author, to, stanza), ErrStanza},
		"another epoch id":  {open(k, ep, EpochID{}, author, to, stanza), ErrStanza},
		"another author":    {open(k, ep, ep.ID(), to, to, stanza), ErrStanza},
		"another recipient": {open(k, ep, ep.ID(), author, author, stanza), ErrStanza},
		"damaged":           {open(k, ep, ep.ID(), author, to, changed(stanza, 40, stanza[40]^1)), ErrStanza},
		"damaged key":       {open(k, ep, ep.ID(), author, to, changed(stanza, 0, stanza[0]^1)), ErrStanza},
		"key of order 1":    {open(k, ep, ep.ID(), author, to, append(make([]byte, 32), stanza[32:]...)), ErrStanza},
		"shorter":           {open(k, ep, ep.ID(), author, to, stanza[:79]), ErrStanza},
		"longer":            {open(k, ep, ep.ID(), author, to, append(bytes.Clone(stanza), 0)), ErrStanza},
		"none":              {open(k, ep, ep.ID(), author, to, nil), ErrStanza},
		"another number":    {open(k, number, ep.ID(), author, to, stanza), ErrWrongEpoch},
		"another parent":    {open(k, parent, ep.ID(), author, to, stanza), ErrWrongEpoch},
	} {
		if !errors.Is(tc.got, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

// A rotation that gives members different secrets under one epoch id is found
// out by whoever gets the wrong one.
func TestSecretThatIsNotTheEpochs(t *testing.T) {
	k, ep := sealingKey(t, 1), testEpoch()
	stanza, err := SealSecret(ep, Author{1}, Author{2}, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	// The info of an honest epoch, and the secret of another.
	other := ep
	other.Secret[0]++
	info := stanzaInfo(ep.Group, ep.ID(), Author{1}, Author{2})
	forged, err := hpke.Seal(k.key.PublicKey(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, other.Secret[:])
	if err != nil {
		t.Fatal(err)
	}
	if len(forged) != len(stanza) {
		t.Fatalf("forged stanza of %d bytes", len(forged))
	}
	if _, err := OpenSecret(k, ep.Group, ep.ID(), ep.Number, ep.Parent, Author{1}, Author{2}, forged); !errors.Is(err, ErrWrongEpoch) {
		t.Errorf("%v", err)
	}
}

// A hostile author can seal a secret of any length.
func TestSecretOfAnotherLength(t *testing.T) {
	k, ep := sealingKey(t, 1), testEpoch()
	info := stanzaInfo(ep.Group, ep.ID(), Author{1}, Author{2})
	for _, secret := range [][]byte{nil, ep.Secret[:31], append(ep.Secret[:], 0)} {
		stanza, err := hpke.Seal(k.key.PublicKey(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSecret(k, ep.Group, ep.ID(), ep.Number, ep.Parent, Author{1}, Author{2}, stanza); !errors.Is(err, ErrStanza) {
			t.Errorf("secret of %d bytes: %v", len(secret), err)
		}
	}
}

func TestSealingKeyRefused(t *testing.T) {
	for name, key := range map[string][32]byte{
		"zero":  {},
		"one":   {1},
		"p":     pointP(0xed),
		"p + 1": pointP(0xee),
	} {
		if _, err := SealSecret(testEpoch(), Author{1}, Author{2}, key); !errors.Is(err, ErrSealingKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// pointP is 2^255-19 with another low byte, little-endian.
func pointP(low byte) [32]byte {
	b := [32]byte(bytes.Repeat([]byte{0xff}, 32))
	b[0], b[31] = low, 0x7f
	return b
}

// Stanzas come from anybody: whatever they are, nothing opens but the secret
// that the epoch id commits to.
func FuzzOpenSecret(f *testing.F) {
	k, ep := sealingKey(f, 1), testEpoch()
	stanza, err := SealSecret(ep, Author{1}, Author{2}, k.Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stanza, uint64(3))
	f.Add(stanza, uint64(4))
	f.Add(make([]byte, StanzaSize), uint64(3))
	f.Add([]byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, stanza []byte, number uint64) {
		got, err := OpenSecret(k, ep.Group, ep.ID(), number, ep.Parent, Author{1}, Author{2}, stanza)
		switch {
		case err == nil && got != ep:
			t.Fatal("opened to another epoch")
		case err != nil && !errors.Is(err, ErrStanza) && !errors.Is(err, ErrWrongEpoch):
			t.Fatalf("unnamed error %v", err)
		}
	})
}
