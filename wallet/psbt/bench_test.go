package psbt

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// manyInputs repeats the input of a Core fixture n times, each spending another
// transaction: 2-of-3 P2WSH with the whole spent transaction, scripts, origins
// and two signatures.
func manyInputs(tb testing.TB, n int) []byte {
	tb.Helper()
	var p *Packet
	for _, f := range fixtures(tb) {
		if f.name == "wsh-1-v2" {
			p = mustParse(tb, unbase64(tb, f.Combined))
		}
	}
	first := p.Inputs[0]
	p.Inputs = make([]Input, n)
	for i := range p.Inputs {
		in := first
		in.NonWitnessUTXO = first.NonWitnessUTXO.Copy()
		in.NonWitnessUTXO.LockTime = uint32(i)
		in.PrevTxID = in.NonWitnessUTXO.TxHash()
		// Inputs have keys of their own: the signature keys stay, origins vary.
		in.Derivations = append([]Derivation(nil), first.Derivations...)
		for j := range in.Derivations {
			in.Derivations[j].Origin.Fingerprint = [4]byte(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		}
		p.Inputs[i] = in
	}
	return mustBytes(tb, p)
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		raw := manyInputs(b, n)
		b.Run(fmt.Sprintf("inputs=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBytes(b *testing.B) {
	p := mustParse(b, manyInputs(b, 100))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCombine(b *testing.B) {
	p := mustParse(b, manyInputs(b, 100))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Combine(p, p, p); err != nil {
			b.Fatal(err)
		}
	}
}

// Twice the inputs take twice the memory, not four times: nothing is compared
// with everything.
func TestParseIsLinear(t *testing.T) {
	few, many := manyInputs(t, 100), manyInputs(t, 400)
	parse := func(raw []byte) uint64 {
		return allocated(func() { mustParse(t, raw) })
	}
	if a, b := parse(few), parse(many); b > 5*a {
		t.Fatalf("%d bytes allocated for 100 inputs, %d for 400", a, b)
	}
}
