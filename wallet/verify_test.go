package wallet

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

func TestVerifyErrors(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s := g.spend(t, 2)
	good := g.sign(t, s, 0)[0]
	der := good.Bytes[:len(good.Bytes)-1]
	other := g.sign(t, s, 1)[0]
	with := func(change func(*Signature)) Signature {
		sig := good
		sig.Bytes = bytes.Clone(sig.Bytes)
		change(&sig)
		return sig
	}
	cases := []struct {
		name string
		sig  Signature
		is   error
	}{
		{"valid", good, nil},
		{"input beyond the last", with(func(s *Signature) { s.Input = 2 }), ErrSignatureInput},
		{"greatest input", with(func(s *Signature) { s.Input = 1<<32 - 1 }), ErrSignatureInput},
		{"key beyond the last", with(func(s *Signature) { s.Key = 3 }), ErrSignatureKey},
		{"greatest key", with(func(s *Signature) { s.Key = 1<<32 - 1 }), ErrSignatureKey},
		{"other input", with(func(s *Signature) { s.Input = 1 }), ErrSignatureInvalid},
		{"other key", with(func(s *Signature) { s.Key = 1 }), ErrSignatureInvalid},
		{"replayed under its own name", with(func(s *Signature) { s.Bytes = other.Bytes }), ErrSignatureInvalid},
		{"no bytes", with(func(s *Signature) { s.Bytes = nil }), ErrSignatureEncoding},
		{"only a sighash byte", with(func(s *Signature) { s.Bytes = []byte{1} }), ErrSignatureEncoding},
		{"no sighash byte", with(func(s *Signature) { s.Bytes = der }), ErrSignatureEncoding},
		{"byte after the DER", with(func(s *Signature) { s.Bytes = append(bytes.Clone(der), 0, 1) }), ErrSignatureEncoding},
		{"SIGHASH_NONE", with(func(s *Signature) { s.Bytes[len(s.Bytes)-1] = 2 }), ErrSignatureHashType},
		{"ANYONECANPAY", with(func(s *Signature) { s.Bytes[len(s.Bytes)-1] = 0x81 }), ErrSignatureHashType},
		{"SIGHASH_DEFAULT", with(func(s *Signature) { s.Bytes[len(s.Bytes)-1] = 0 }), ErrSignatureHashType},
		{"high S", with(func(s *Signature) { s.Bytes = append(highS(t, der), 1) }), ErrSignatureHighS},
		{"padded R", with(func(s *Signature) { s.Bytes = padR(der) }), ErrSignatureEncoding},
		{"long form length", with(func(s *Signature) {
			s.Bytes = append(append([]byte{0x30, 0x81, byte(len(der) - 2)}, der[2:]...), 1)
		}), ErrSignatureEncoding},
	}
	sigs := make([]Signature, len(cases))
	for i, c := range cases {
		sigs[i] = c.sig
	}
	for _, cache := range []*SigCache{nil, NewSigCache(0), NewSigCache(100)} {
		for i, err := range s.VerifyAll(sigs, cache) {
			if !errors.Is(err, cases[i].is) || (err == nil) != (cases[i].is == nil) {
				t.Errorf("%s: %v, want %v", cases[i].name, err, cases[i].is)
			}
		}
	}
}

// padR puts a needless zero before R.
func padR(der []byte) []byte {
	out := []byte{0x30, der[1] + 1, 2, der[3] + 1, 0}
	return append(append(out, der[4:]...), 1)
}

func TestSignNeedsACosigner(t *testing.T) {
	s := newTestGroup(t, ScriptWSH, 1, 1).spend(t, 1)
	stranger, err := DeriveAccount(make([]byte, 32), Regtest, ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(stranger); !errors.Is(err, ErrNotCosigner) {
		t.Errorf("stranger: %v", err)
	}
	// The same public key over another chain code has other children.
	twin := *newTestGroup(t, ScriptWSH, 1, 1).accounts[0].pub
	twin.chain[0] ^= 1
	stranger.pub = &twin
	if _, err := s.Sign(stranger); !errors.Is(err, ErrNotCosigner) {
		t.Errorf("other chain code: %v", err)
	}
}

// TestSignatureCacheHit shows that a cached signature is believed and another is not.
func TestSignatureCacheHit(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s := g.spend(t, 1)
	sig := g.sign(t, s, 0)[0]
	cache := NewSigCache(10)
	if err := s.Verify(sig, cache); err != nil {
		t.Fatal(err)
	}
	digests := cache.Export()
	want := sigDigest(&s.hashes[0], s.scripts[0].PubKeys[0], sig.Bytes)
	if len(digests) != 1 || digests[0] != want {
		t.Fatalf("cache holds %x", digests)
	}
	sig.Key = 1
	if err := s.Verify(sig, cache); !errors.Is(err, ErrSignatureInvalid) {
		t.Errorf("other key: %v", err)
	}
	if len(cache.Export()) != 1 {
		t.Error("an invalid signature was cached")
	}
	// What Import adds is believed: here a signature that is not valid.
	other := NewSigCache(10)
	other.Import([][32]byte{sigDigest(&s.hashes[0], s.scripts[0].PubKeys[1], sig.Bytes)})
	if err := s.Verify(sig, other); err != nil {
		t.Errorf("imported: %v", err)
	}
}

func TestSigCacheForgetsTheOldest(t *testing.T) {
	digest := func(i int) [32]byte { return [32]byte{byte(i)} }
	c := NewSigCache(3)
	for i := range 5 {
		c.add(digest(i))
		c.add(digest(i))
	}
	for i := range 5 {
		if c.has(digest(i)) != (i >= 2) {
			t.Errorf("digest %d: held %v", i, c.has(digest(i)))
		}
	}
	got := c.Export()
	if len(got) != 3 || got[0] != digest(2) || got[2] != digest(4) {
		t.Errorf("exported %v", got)
	}
	fresh := NewSigCache(2)
	fresh.Import(got)
	if fresh.has(digest(2)) || !fresh.has(digest(3)) || !fresh.has(digest(4)) {
		t.Error("import does not keep the limit")
	}
	var none *SigCache
	none.Import(got)
	none.add(digest(1))
	if none.has(digest(1)) || none.Export() != nil {
		t.Error("a nil cache remembers")
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	g := newTestGroup(t, ScriptSHWSH, 2, 3)
	s := g.spend(t, 4)
	sigs := g.sign(t, s, 0, 2)
	cache := NewSigCache(5)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := s.Finalize(sigs, cache); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for i := range uint32(20) {
				if _, err := g.d.Address(BranchExternal, i); err != nil {
					t.Error(err)
				}
			}
			cache.Import(cache.Export())
		})
		wg.Go(func() {
			if _, err := s.Sign(g.accounts[1]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
