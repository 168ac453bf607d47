package psbt

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var bips = []string{"0174", "0370", "0371", "0373"}

func TestVectors(t *testing.T) {
	for _, bip := range bips {
		for i, v := range vectors(t, bip) {
			if v.isTx() {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", bip, i), func(t *testing.T) {
				// What fails signers' checks is still a packet.
				valid := v.Valid || v.Context == "Fails Signer checks"
				p, err := Parse(v.raw(t))
				if (err == nil) != valid {
					t.Fatalf("%s: valid %v, got %v", v.Case, valid, err)
				}
				if valid {
					roundTrip(t, p, v.raw(t))
				} else {
					t.Log(err)
				}
			})
		}
	}
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			for _, raw := range f.all(t) {
				roundTrip(t, mustParse(t, raw), raw)
			}
		})
	}
}

// roundTrip checks that a packet is written as it was read, byte for byte, and
// read again as it was.
func roundTrip(t *testing.T, p *Packet, raw []byte) {
	t.Helper()
	got := mustBytes(t, p)
	if !bytes.Equal(got, raw) {
		t.Fatalf("written\n%x\nread\n%x", got, raw)
	}
	if again := mustParse(t, got); !reflect.DeepEqual(again, p) {
		t.Fatal("read again, the packet differs")
	}
}

func TestVectorsAsText(t *testing.T) {
	for _, bip := range bips {
		for i, v := range vectors(t, bip) {
			if !v.Valid || v.isTx() {
				continue
			}
			want := mustParse(t, v.raw(t))
			for _, text := range []string{v.Base64, v.Hex, " \n" + strings.ToUpper(v.Hex) + "\r\n", string(v.raw(t))} {
				got, err := ParseText([]byte(text))
				if err != nil {
					t.Fatalf("%s/%d: %v", bip, i, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s/%d: text and binary differ", bip, i)
				}
			}
			if text, err := want.Base64(); err != nil || text != v.Base64 {
				t.Fatalf("%s/%d: base64 differs: %v", bip, i, err)
			}
		}
	}
}

// The errors tell what the vectors get wrong, not just that they are wrong.
func TestVectorErrors(t *testing.T) {
	want := map[string][]error{
		"0174": {
			0: ErrMagic, 1: ErrTruncated, 2: ErrSigned, 3: ErrMissing, 4: ErrDuplicate,
			5: ErrMalformed, 7: ErrMalformed, 18: ErrTruncated, 19: ErrTrailing,
		},
		"0370": {
			0: ErrForbidden, 1: ErrForbidden, 2: ErrForbidden, 3: ErrForbidden, 4: ErrForbidden,
			5: ErrForbidden, 6: ErrForbidden, 7: ErrForbidden, 8: ErrForbidden, 9: ErrForbidden,
			10: ErrForbidden, 11: ErrForbidden, 12: ErrForbidden, 13: ErrForbidden,
			14: ErrMissing, 15: ErrMissing, 16: ErrMissing, 17: ErrMissing, 18: ErrMissing,
			19: ErrMissing, 20: ErrMissing, 21: ErrMalformed, 22: ErrMalformed, 23: ErrMalformed,
		},
	}
	for bip, errs := range want {
		vs := vectors(t, bip)
		for i, want := range errs {
			if want == nil {
				continue
			}
			if _, err := Parse(vs[i].raw(t)); !errors.Is(err, want) {
				t.Errorf("%s/%d %s: %v, want %v", bip, i, vs[i].Case, err, want)
			}
		}
	}
}

func TestSignerChecks(t *testing.T) {
	want := []error{30: ErrUTXO, 31: ErrScript, 32: ErrScript, 33: ErrScript}
	for i, v := range vectors(t, "0174") {
		signable := i >= 35 && i <= 39
		if !signable && (i >= len(want) || want[i] == nil) {
			continue
		}
		p := mustParse(t, v.raw(t))
		var err error
		for j := range p.Inputs {
			if err = p.CheckInput(j); err != nil {
				break
			}
		}
		if signable && err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if !signable && !errors.Is(err, want[i]) {
			t.Errorf("%d: %v, want %v", i, err, want[i])
		}
	}
	for _, f := range fixtures(t) {
		p := mustParse(t, unbase64(t, f.PSBT))
		for j := range p.Inputs {
			if err := p.CheckInput(j); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		}
		if err := p.CheckInput(len(p.Inputs)); !errors.Is(err, ErrMissing) {
			t.Errorf("input out of range: %v", err)
		}
	}
}
