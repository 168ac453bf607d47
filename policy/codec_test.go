package policy

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestCodecIsThere(t *testing.T) {
	if _, err := newCodec(); err != nil {
		t.Fatal(err)
	}
}

// Any policy comes back from its canonical form as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t, "p")
		b := Encode(p)
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("%v: %+v", err, p)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if !bytes.Equal(Encode(got), b) {
			t.Fatal("encoded in another way")
		}
	})
}

// The canonical form, and so the hash that people vote on, is as it was.
func TestCanonicalFormStays(t *testing.T) {
	p, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	h := Hash([32]byte{1}, Encode(p))
	const want = "8c2574741295ecd1c082429ff6c54d359daeb927fd730b233425286570ca04a3"
	if got := hex.EncodeToString(h[:]); got != want {
		t.Errorf("the hash is %s, was %s", got, want)
	}
	if Hash([32]byte{2}, Encode(p)) == h {
		t.Error("two groups have one hash")
	}
}

func TestDecodeRefuses(t *testing.T) {
	p, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	b := Encode(p)
	alter := func(change func(map[uint64]any)) []byte {
		var m map[uint64]any
		if err := cbor.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		out, err := theCodec.enc.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if _, err := Decode(alter(func(map[uint64]any) {})); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":       {nil, ErrMalformed},
		"cut":           {b[:len(b)-1], ErrMalformed},
		"more":          {append(bytes.Clone(b), 0), ErrMalformed},
		"too long":      {make([]byte, MaxBytes+1), ErrMalformed},
		"a later one":   {alter(func(m map[uint64]any) { m[1] = Language + 1 }), ErrNewer},
		"later, longer": {alter(func(m map[uint64]any) { m[1] = Language + 1; m[11] = "more" }), ErrNewer},
		"no version":    {alter(func(m map[uint64]any) { delete(m, 1) }), ErrMalformed},
		"version 0":     {alter(func(m map[uint64]any) { m[1] = 0 }), ErrMalformed},
		"unknown field": {alter(func(m map[uint64]any) { m[11] = "more" }), ErrMalformed},
		"field missing": {alter(func(m map[uint64]any) { delete(m, 7) }), ErrMalformed},
		"null":          {alter(func(m map[uint64]any) { m[7] = nil }), ErrMalformed},
		"wrong type":    {alter(func(m map[uint64]any) { m[2] = 5 }), ErrMalformed},
		"no text":       {alter(func(m map[uint64]any) { m[2] = "a\x07" }), ErrMalformed},
		"long integer":  {bytes.Replace(b, []byte{0x01, 0x01, 0x02}, []byte{0x01, 0x18, 0x01, 0x02}, 1), ErrMalformed},
		"other order":   {append(append([]byte{0xaa, 2}, b[4:len(p.Title)+5]...), append([]byte{1, 1}, b[len(p.Title)+5:]...)...), ErrMalformed},
	} {
		if got, err := Decode(c.b); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What Decode takes is valid and has one form, whatever the bytes.
func FuzzDecode(f *testing.F) {
	p, err := Parse([]byte(example), testRoster())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(Encode(p))
	f.Add(Encode(&Policy{Version: 1, Title: "T", Robots: 1, StartQuorum: 1}))
	f.Add(Encode(&Policy{Version: 2, Title: "T", Robots: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(Encode(p), b) {
			t.Fatal("two forms")
		}
		_ = p.Fits(5, 3)
		_ = p.WorstCase(5, 3)
	})
}

// Any text is a policy that is valid, fits its wallet and comes back from its canonical
// form, or an error with a place in the text.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("title = \"T\"\nrobots = [\"ana\"]\n[[rules]]\nname = \"r\"\nthen = \"deny\"\n"))
	f.Add([]byte("a.b.c = [[{ x = 1 }]]\n[a.b]\n[[a.d]]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		roster := testRoster()
		p, err := Parse(text, roster)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Line > 1+bytes.Count(text, []byte("\n")) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if err := p.Fits(len(roster.Members), roster.Threshold); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(Encode(p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}
