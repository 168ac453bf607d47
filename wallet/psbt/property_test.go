package psbt

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// drawPacket draws a packet for the one transaction of baseTx(2), with fields
// from small pools, so that several packets have some in common. With strict it
// draws no field on which packets can disagree for good.
func drawPacket(t *rapid.T, full *Packet, strict bool) *Packet {
	tx, prevs := baseTx(2)
	p, err := New(tx, full.Version)
	if err != nil {
		t.Fatal(err)
	}
	some := func(name string) bool { return rapid.Bool().Draw(t, name) }
	pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
	if some("xpubs") {
		p.XPubs = full.XPubs
	}
	if some("unknown") {
		p.Unknown = []Unknown{{Key: []byte{0x77, byte(pick("unknown key", 3))}, Value: []byte{byte(pick("unknown value", 3))}}}
	}
	if full.Version == 2 && some("modifiable") {
		p.Modifiable = new(uint8(pick("flags", 8)))
	}
	for i := range p.Inputs {
		in, src := &p.Inputs[i], &full.Inputs[i]
		if some("utxo") {
			in.NonWitnessUTXO = prevs[i]
			if some("stripped") {
				in.NonWitnessUTXO = prevs[i].Copy()
				in.NonWitnessUTXO.TxIn[0].Witness = nil
			}
		}
		if some("partial signatures") {
			seed := byte(1 + pick("key", 3))
			in.PartialSigs = []PartialSig{{pubKey(seed), signature(seed, byte(1+pick("message", 2)))}}
		}
		if some("sighash") {
			in.SighashType = src.SighashType
			if !strict && some("other sighash") {
				in.SighashType = new(uint32(2))
			}
		}
		if some("derivations") {
			in.Derivations = src.Derivations[pick("derivation", 2):]
		}
		if some("taproot") {
			in.TapLeafScripts, in.TapDerivations = src.TapLeafScripts[pick("leaf", 2):], src.TapDerivations
			in.TapKeySig = bytes.Repeat([]byte{byte(pick("key signature", 3))}, 64)
		}
		if some("musig2") {
			in.MuSig2PubNonces = src.MuSig2PubNonces[pick("nonce", 2):]
		}
		if full.Version == 2 && !strict && some("sequence") {
			in.Sequence = []*uint32{nil, new(uint32(1)), new(uint32(finalSequence))}[pick("which sequence", 3)]
		}
		if full.Version == 2 && !strict && some("required") {
			in.RequiredHeight = new(uint32(500)) // the fallback of baseTx
		}
	}
	return p
}

func drawPackets(t *rapid.T, fulls []*Packet, strict bool) []*Packet {
	full := rapid.SampledFrom(fulls).Draw(t, "version")
	ps := make([]*Packet, rapid.IntRange(2, 4).Draw(t, "packets"))
	for i := range ps {
		ps[i] = drawPacket(t, full, strict)
	}
	return ps
}

func TestCombineAnyOrder(t *testing.T) {
	fulls := []*Packet{fullPacket(t, 0), fullPacket(t, 2)}
	for name, strict := range map[string]bool{"agreeing": true, "any": false} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkAnyOrder(t, fulls, strict) })
		})
	}
}

func checkAnyOrder(t *rapid.T, fulls []*Packet, strict bool) {
	ps := drawPackets(t, fulls, strict)
	all, err := Combine(ps...)
	if strict && err != nil {
		t.Fatal(err)
	}
	mixed, mixedErr := Combine(rapid.Permutation(ps).Draw(t, "order")...)
	if (err == nil) != (mixedErr == nil) {
		t.Fatalf("in one order %v, in another %v", err, mixedErr)
	}
	if err != nil {
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrDifferentTx) {
			t.Fatal(err)
		}
		return
	}
	want := bytesOf(t, all)
	if !bytes.Equal(bytesOf(t, mixed), want) {
		t.Fatal("another order gave another packet")
	}
	// Idempotent, and the same in one step or several.
	step := ps[0]
	for _, p := range append(ps[1:], ps[0], all) {
		if step, err = Combine(step, p); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(bytesOf(t, step), want) {
		t.Fatal("step by step gave another packet")
	}
}

func bytesOf(t *rapid.T, p *Packet) []byte {
	raw, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
