package psbt

import (
	"bytes"
	"reflect"
	"testing"
)

// seeds adds every vector and fixture, also the invalid ones.
func seeds(f *testing.F, add func(raw []byte)) {
	for _, version := range []uint32{0, 2} {
		add(mustBytes(f, fullPacket(f, version)))
	}
	add(packet(global2(0, 0)))
	add(packet(global2(1, 1), input2("\x08", "\x01\x00"), []string{"\x03", "\x01\x00\x00\x00\x00\x00\x00\x00", "\x04", ""}))
	for _, bip := range bips {
		for _, v := range vectors(f, bip) {
			add(v.raw(f))
		}
	}
	for _, x := range fixtures(f) {
		for _, raw := range x.all(f) {
			add(raw)
		}
	}
}

// What parses is written, read again the same, and written the same; nothing
// panics or allocates out of proportion.
func FuzzParse(f *testing.F) {
	seeds(f, func(raw []byte) { f.Add(raw) })
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p *Packet
		var err error
		used := allocated(func() { p, err = Parse(raw) })
		if most := uint64(1<<20 + 2000*len(raw)); used > most {
			t.Fatalf("%d bytes allocated for %d", used, len(raw))
		}
		if err != nil {
			return
		}
		written := mustBytes(t, p)
		again := mustParse(t, written)
		if !reflect.DeepEqual(p, again) {
			t.Fatal("read again, the packet differs")
		}
		if !bytes.Equal(mustBytes(t, again), written) {
			t.Fatal("written again, the bytes differ")
		}
		useAll(t, p)
	})
}

// useAll calls whatever else takes a packet; what it gives must hold too.
func useAll(t *testing.T, p *Packet) {
	for i := range p.Inputs {
		_ = p.CheckInput(i)
	}
	if tx, err := p.Extract(); err == nil && len(tx.TxIn) != len(p.Inputs) {
		t.Fatal("extracted transaction lost inputs")
	}
	v2, err := p.ToV2()
	if err != nil {
		t.Fatal(err)
	}
	v0, err := v2.ToV0()
	if _, lockErr := p.LockTime(); (err == nil) != (lockErr == nil) {
		t.Fatalf("to version 0: %v; lock time: %v", err, lockErr)
	}
	if err != nil {
		return
	}
	mustParse(t, mustBytes(t, v0))
	if p.Version == 0 && !bytes.Equal(mustBytes(t, v0), mustBytes(t, p)) {
		t.Fatal("version 0 to 2 and back lost something")
	}
	self, err := Combine(p, p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustBytes(t, self), mustBytes(t, p)) {
		t.Fatal("combined with itself, the packet differs")
	}
}

func FuzzParseText(f *testing.F) {
	for _, v := range vectors(f, "0174") {
		f.Add([]byte(v.Hex))
		f.Add([]byte(v.Base64))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseText(text)
		if err != nil {
			return
		}
		again, err := Parse(mustBytes(t, p))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("read again, the packet differs: %v", err)
		}
	})
}

// Combining is the same either way, and adding a part of a packet to it changes
// nothing.
func FuzzCombine(f *testing.F) {
	for _, x := range fixtures(f) {
		for _, text := range x.Signed {
			f.Add(unbase64(f, x.Signed[0]), unbase64(f, text), uint64(0x5a5a))
		}
	}
	for _, bip := range bips {
		vs := vectors(f, bip)
		for i := range vs[1:] {
			f.Add(vs[i].raw(f), vs[i+1].raw(f), uint64(i)*0x9e3779b9)
		}
	}
	full := mustBytes(f, fullPacket(f, 2))
	f.Add(full, full, uint64(1))
	f.Fuzz(func(t *testing.T, rawA, rawB []byte, drop uint64) {
		a, err := Parse(rawA)
		if err != nil {
			return
		}
		if _, err := a.LockTime(); err != nil {
			return
		}
		part := thin(t, a, drop)
		got, err := Combine(part, a)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustBytes(t, got), mustBytes(t, a)) {
			t.Fatal("a packet and a part of it are not the packet")
		}
		b, err := Parse(rawB)
		if err != nil {
			return
		}
		sameEitherWay(t, a, b)
		sameEitherWay(t, part, b)
	})
}

func sameEitherWay(t *testing.T, a, b *Packet) {
	t.Helper()
	ab, errAB := Combine(a, b)
	ba, errBA := Combine(b, a)
	if (errAB == nil) != (errBA == nil) {
		t.Fatalf("one way %v, the other %v", errAB, errBA)
	}
	if errAB != nil {
		return
	}
	if !bytes.Equal(mustBytes(t, ab), mustBytes(t, ba)) {
		t.Fatal("combined the other way round, the packet differs")
	}
	for _, p := range []*Packet{a, b, ab} {
		again, err := Combine(ab, p)
		if err != nil || !bytes.Equal(mustBytes(t, again), mustBytes(t, ab)) {
			t.Fatalf("combined once more, the packet differs: %v", err)
		}
	}
}

// thin drops optional fields of a packet, chosen by the bits of drop, but none
// that the transaction depends on.
func thin(t *testing.T, p *Packet, drop uint64) *Packet {
	t.Helper()
	q, err := p.clone()
	if err != nil {
		t.Fatal(err)
	}
	bit := func() bool {
		drop = drop>>1 | drop<<63
		return drop&1 != 0
	}
	if bit() {
		q.XPubs = nil
	}
	if bit() {
		q.Unknown, q.Proprietary = nil, nil
	}
	for i := range q.Inputs {
		in := &q.Inputs[i]
		for _, clear := range []func(){
			func() { in.NonWitnessUTXO = nil }, func() { in.WitnessUTXO = nil },
			func() { in.PartialSigs = nil }, func() { in.SighashType = nil },
			func() { in.RedeemScript, in.WitnessScript = nil, nil }, func() { in.Derivations = nil },
			func() { in.FinalScriptSig = nil }, func() { in.FinalWitness = nil },
			func() { in.PorCommitment, in.SHA256, in.RIPEMD160 = nil, nil, nil },
			func() { in.TapKeySig, in.TapScriptSigs = nil, nil }, func() { in.TapLeafScripts = nil },
			func() { in.TapDerivations, in.TapInternalKey = nil, nil }, func() { in.TapMerkleRoot = nil },
			func() { in.MuSig2Participants, in.MuSig2PubNonces = nil, nil }, func() { in.MuSig2PartialSigs = nil },
			func() { in.Proprietary, in.Unknown = nil, nil },
		} {
			if bit() {
				clear()
			}
		}
	}
	for i := range q.Outputs {
		if bit() {
			q.Outputs[i] = Output{Amount: q.Outputs[i].Amount, Script: q.Outputs[i].Script}
		}
	}
	return q
}
