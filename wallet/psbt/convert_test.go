package psbt

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"testing"
)

func TestLockTimeVectors(t *testing.T) {
	number := regexp.MustCompile(`computed to be (\d+)`)
	seen := 0
	for i, v := range vectors(t, "0370") {
		m := number.FindStringSubmatch(v.Context)
		never := v.Context == "The timelock for the following PSBTs cannot be computed:"
		if m == nil && !never {
			continue
		}
		seen++
		p := mustParse(t, v.raw(t))
		got, err := p.LockTime()
		if never {
			_, txErr := p.UnsignedTx()
			_, idErr := p.UniqueID()
			_, v0Err := p.ToV0()
			_, exErr := p.Extract()
			_, coErr := Combine(p, p)
			for _, err := range []error{err, txErr, idErr, v0Err, exErr, coErr} {
				if !errors.Is(err, ErrLockTime) {
					t.Errorf("%d: %v, want %v", i, err, ErrLockTime)
				}
			}
			continue
		}
		if want, _ := strconv.ParseUint(m[1], 10, 32); err != nil || uint64(got) != want {
			t.Errorf("%d %s: %d (%v), want %d", i, v.Case, got, err, want)
		}
		tx, err := p.UnsignedTx()
		if err != nil || tx.LockTime != got {
			t.Errorf("%d: transaction has another lock time (%v)", i, err)
		}
	}
	if seen != 10 {
		t.Fatalf("%d lock time vectors, want 10", seen)
	}
}

func TestFallbackLockTime(t *testing.T) {
	p := fullPacket(t, 2)
	p.FallbackLockTime = new(uint32(5))
	if got, err := p.LockTime(); err != nil || got != 700 {
		t.Fatalf("%d, %v: the greatest height must win over time and fallback", got, err)
	}
	for i := range p.Inputs {
		p.Inputs[i].RequiredHeight, p.Inputs[i].RequiredTime = nil, nil
	}
	if got, err := p.LockTime(); err != nil || got != 5 {
		t.Fatalf("%d, %v: want the fallback", got, err)
	}
}

// Version 0 to 2 and back loses nothing, for every packet of version 0 there is.
func TestConvertV0IsIdentity(t *testing.T) {
	for _, raw := range packetsOf(t, 0) {
		v2, err := mustParse(t, raw).ToV2()
		if err != nil {
			t.Fatal(err)
		}
		v2 = mustParse(t, mustBytes(t, v2))
		if v2.Version != 2 {
			t.Fatalf("version %d", v2.Version)
		}
		v0, err := v2.ToV0()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustBytes(t, v0), raw) {
			t.Fatalf("lost on the way:\n%x\n%x", mustBytes(t, v0), raw)
		}
		a, errA := v2.UnsignedTx()
		b, errB := v0.UnsignedTx()
		if errA != nil || errB != nil || a.TxHash() != b.TxHash() {
			t.Fatalf("transactions differ: %v, %v", errA, errB)
		}
	}
}

// Version 2 keeps its transaction and everything but what version 0 has no
// place for.
func TestConvertV2KeepsTheTransaction(t *testing.T) {
	for _, raw := range packetsOf(t, 2) {
		p := mustParse(t, raw)
		want, err := p.UnsignedTx()
		if err != nil {
			continue // the vector without a lock time
		}
		v0, err := p.ToV0()
		if err != nil {
			t.Fatal(err)
		}
		got, err := mustParse(t, mustBytes(t, v0)).UnsignedTx()
		if err != nil || got.TxHash() != want.TxHash() {
			t.Fatalf("another transaction: %v", err)
		}
		back, err := v0.ToV2()
		if err != nil {
			t.Fatal(err)
		}
		lossless := p.Modifiable == nil && p.FallbackLockTime != nil
		for i := range p.Inputs {
			in := &p.Inputs[i]
			lossless = lossless && in.Sequence != nil && in.RequiredHeight == nil && in.RequiredTime == nil
		}
		if lossless && !bytes.Equal(mustBytes(t, back), raw) {
			t.Fatal("version 2 to 0 and back lost something")
		}
		if !bytes.Equal(mustBytes(t, p), raw) {
			t.Fatal("converting changed the packet itself")
		}
	}
}

func TestConvertRefusesInvalid(t *testing.T) {
	p := fullPacket(t, 2)
	p.Inputs[0].TapKeySig = []byte{1}
	if _, err := p.ToV0(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := p.ToV2(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := p.Base64(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// packetsOf returns every valid packet of a version: vectors, fixtures and the
// full one.
func packetsOf(t testing.TB, version uint32) [][]byte {
	t.Helper()
	raws := [][]byte{mustBytes(t, fullPacket(t, version))}
	for _, bip := range bips {
		for _, v := range vectors(t, bip) {
			if v.Valid && !v.isTx() && mustParse(t, v.raw(t)).Version == version {
				raws = append(raws, v.raw(t))
			}
		}
	}
	for _, f := range fixtures(t) {
		for _, raw := range f.all(t) {
			if mustParse(t, raw).Version == version {
				raws = append(raws, raw)
			}
		}
	}
	return raws
}

func TestModifiableFlags(t *testing.T) {
	const all = InputsModifiable | OutputsModifiable
	cases := []struct {
		before  *uint8
		sighash uint32
		want    *uint8
	}{
		{new(all), 0x00, new(uint8(0))}, // taproot's default is ALL
		{new(all), 0x01, new(uint8(0))},
		{new(all), 0x02, new(OutputsModifiable)},
		{new(all), 0x03, new(HasSighashSingle)},
		{new(all), 0x81, new(InputsModifiable)},
		{new(all), 0x82, new(all)},
		{new(all | 8), 0x83, new(InputsModifiable | HasSighashSingle | 8)},
		{nil, 0x01, nil},
		{nil, 0x03, new(HasSighashSingle)},
	}
	for i, c := range cases {
		p := &Packet{Version: 2, Modifiable: c.before}
		p.Signed(c.sighash)
		if (p.Modifiable == nil) != (c.want == nil) || c.want != nil && *p.Modifiable != *c.want {
			t.Errorf("%d: %v", i, p.Modifiable)
		}
	}
	v0 := &Packet{}
	v0.Signed(3)
	if v0.Modifiable != nil {
		t.Error("flags in version 0")
	}
}
