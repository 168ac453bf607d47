package journal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestIdentitySigns(t *testing.T) {
	id := NewIdentity([32]byte{1})
	if id.Seed() != [32]byte{1} {
		t.Error("seed is another")
	}
	msg := []byte("message")
	sig := id.Sign("tag", msg)
	if err := VerifyIdentity(id.Author(), "tag", msg, sig); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another tag":      VerifyIdentity(id.Author(), "tog", msg, sig),
		"tag and message":  VerifyIdentity(id.Author(), "tagm", msg[1:], sig),
		"another message":  VerifyIdentity(id.Author(), "tag", []byte("massage"), sig),
		"another author":   VerifyIdentity(NewIdentity([32]byte{2}).Author(), "tag", msg, sig),
		"no signature":     VerifyIdentity(id.Author(), "tag", msg, nil),
		"shorter":          VerifyIdentity(id.Author(), "tag", msg, sig[:63]),
		"longer":           VerifyIdentity(id.Author(), "tag", msg, append(slices.Clone(sig), 0)),
		"message unhashed": VerifyIdentity(id.Author(), "tag", msg, ed25519.Sign(id.key, msg)),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A signature of a message is never that of an entry: an attacker who has
// anything signed under a tag of his choice gets no entry out of it.
func TestIdentitySignatureIsNoEntry(t *testing.T) {
	e, _ := sealed(t)
	id := NewIdentity([32]byte{1})
	raw := bytes.Clone(e.Bytes())
	entry := e.ID()
	for _, tag := range []string{"", "entry"} {
		copy(raw[len(raw)-signatureSize:], id.Sign(tag, entry[:]))
		d, err := Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Verify(); !errors.Is(err, ErrSignature) {
			t.Errorf("tag %q: %v", tag, err)
		}
	}
}

// order is the order of the Ed25519 base point (RFC 8032, section 5.1).
func order() *big.Int {
	l, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return l.Add(l, new(big.Int).Lsh(big.NewInt(1), 252))
}

// S and S + order satisfy the same equation. The second form is refused, and
// would make no second id.
func TestMalleableSignature(t *testing.T) {
	e, _ := sealed(t)
	raw := bytes.Clone(e.Bytes())
	s := raw[len(raw)-32:]
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order())
	sum.FillBytes(s)
	slices.Reverse(s)
	d, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(); !errors.Is(err, ErrSignature) {
		t.Errorf("malleable signature: %v", err)
	}
	if d.ID() != e.ID() {
		t.Error("malleable signature makes a second id")
	}
	c, _, err := Chains{}.Add(e, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, outcome, err := c.Add(d, false); outcome != Duplicate || err != nil {
		t.Errorf("%v, %v", outcome, err)
	}
}

// smallOrder returns the y of every point whose order divides 8, found by
// doubling: it holds the list in soundKey against arithmetic.
func smallOrder(t *testing.T) map[string]bool {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	mod := func(x *big.Int) *big.Int { return x.Mod(x, p) }
	inv := func(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, p) }
	one := big.NewInt(1)
	d := mod(new(big.Int).Mul(big.NewInt(-121665), inv(big.NewInt(121666))))
	ys := map[string]bool{}
	// A point of order 8 doubles to one with y = 0. From the doubling formula,
	// y^2 + x^2 = 0, and with the curve equation d y^4 + 2 y^2 - 1 = 0.
	// So y^2 = (-1 ± sqrt(1+d)) / d. Orders 1, 2, 4 have y = 1, -1, 0.
	candidates := []*big.Int{big.NewInt(1), new(big.Int).Sub(p, one), new(big.Int)}
	root := new(big.Int).ModSqrt(mod(new(big.Int).Add(one, d)), p)
	if root == nil {
		t.Fatal("1 + d has no root")
	}
	for _, r := range []*big.Int{root, new(big.Int).Neg(root)} {
		yy := mod(new(big.Int).Mul(mod(new(big.Int).Sub(r, one)), inv(d)))
		if y := new(big.Int).ModSqrt(yy, p); y != nil {
			candidates = append(candidates, y, new(big.Int).Sub(p, y))
		}
	}
	for _, y := range candidates {
		b := y.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		ys[hex.EncodeToString(b)] = true
	}
	return ys
}

func TestSmallOrderKeys(t *testing.T) {
	ys := smallOrder(t)
	if len(ys) != 5 {
		t.Errorf("%d values of y, want 5: %v", len(ys), ys)
	}
	for y := range ys {
		b, err := hex.DecodeString(y)
		if err != nil {
			t.Fatal(err)
		}
		a := Author(b)
		for range 2 {
			if soundKey(a) {
				t.Errorf("%s is taken for sound", a)
			}
			a[31] |= 0x80
		}
	}
	if !soundKey(NewIdentity([32]byte{1}).Author()) {
		t.Error("a good key is not")
	}
}

// With the neutral point as key, one signature fits every message; the library
// by itself accepts it. The same for the other encodings of that point.
func TestKeyThatProvesNothing(t *testing.T) {
	sig := make([]byte, 64)
	sig[0] = 1 // R is the neutral point, S is 0
	canonical := Author{1}
	over := Author{0xee} // y = p + 1
	for i := 1; i < 31; i++ {
		over[i] = 0xff
	}
	over[31] = 0x7f
	for _, a := range []Author{canonical, over} {
		if !ed25519.Verify(a[:], []byte("anything"), sig) {
			t.Fatalf("%s: the library refuses it: the test proves nothing", a)
		}
		if verifyStrict(a, []byte("anything"), sig) {
			t.Errorf("%s: accepted", a)
		}
	}
	raw := func() []byte { e, _ := sealed(t); return bytes.Clone(e.Bytes()) }()
	copy(raw[offAuthor:], canonical[:])
	copy(raw[len(raw)-signatureSize:], sig)
	e, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); !errors.Is(err, ErrSignature) {
		t.Errorf("entry that anybody can sign: %v", err)
	}
}

// Keys with y from the prime up to 2^255-1 are second encodings.
func TestNonCanonicalKeys(t *testing.T) {
	for low := 0xed; low <= 0xff; low++ {
		a := Author{byte(low)}
		for i := 1; i < 31; i++ {
			a[i] = 0xff
		}
		for _, top := range []byte{0x7f, 0xff} {
			a[31] = top
			if soundKey(a) {
				t.Errorf("%s is taken for sound", a)
			}
		}
	}
	// The largest y below the prime that is not of small order.
	a := Author{0xeb}
	for i := 1; i < 31; i++ {
		a[i] = 0xff
	}
	a[31] = 0x7f
	if !soundKey(a) {
		t.Error("p - 2 is below the prime")
	}
}

// Nothing that holds a secret shows it when it is printed.
func TestPrintingShowsNoSecret(t *testing.T) {
	seed := [32]byte(bytes.Repeat([]byte{0xab}, 32))
	key, err := NewSealingKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ep := Epoch{Secret: seed}
	for _, secret := range []any{NewIdentity(seed), *NewIdentity(seed), key, *key, ep, &ep, ep.LogValue()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%d", "%s", "%q"} {
			out := strings.ToLower(fmt.Sprintf(verb, secret))
			for _, leak := range []string{"abab", "171 171", "0xab, 0xab", hex.EncodeToString(private)} {
				if strings.Contains(out, leak) {
					t.Errorf("%T printed with %s shows its secret", secret, verb)
				}
			}
		}
	}
}
