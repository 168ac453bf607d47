package psbt

import (
	"bytes"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

func TestCombineVectors(t *testing.T) {
	vs := vectors(t, "0174")
	for _, c := range [][3]int{{37, 38, 39}, {42, 43, 44}} {
		a, b := mustParse(t, vs[c[0]].raw(t)), mustParse(t, vs[c[1]].raw(t))
		for _, ps := range [][]*Packet{{a, b}, {b, a}, {a, b, a, b}} {
			got, err := Combine(ps...)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(mustBytes(t, got), vs[c[2]].raw(t)) {
				t.Fatalf("%v: got\n%x\nwant\n%s", c, mustBytes(t, got), vs[c[2]].Hex)
			}
		}
	}
}

func TestCombineFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		want := unbase64(t, f.Combined)
		ps := []*Packet{mustParse(t, unbase64(t, f.PSBT))}
		for _, text := range f.Signed {
			ps = append(ps, mustParse(t, unbase64(t, text)))
		}
		got, err := Combine(ps...)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		if !bytes.Equal(mustBytes(t, got), want) {
			t.Fatalf("%s: not what Core combines", f.name)
		}
	}
}

func TestExtractVector(t *testing.T) {
	vs := vectors(t, "0174")
	p := mustParse(t, vs[40].raw(t))
	tx, err := p.Extract()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(appendTx(nil, tx), vs[41].raw(t)) {
		t.Fatal("another transaction than the vector's")
	}
	tx.TxIn[1].Witness[1][0]++
	tx.TxIn[0].SignatureScript[0]++
	if !bytes.Equal(mustBytes(t, p), vs[40].raw(t)) {
		t.Fatal("extraction changed the packet")
	}
	p.Inputs[1].FinalScriptSig, p.Inputs[1].FinalWitness = nil, nil
	if _, err := p.Extract(); !errors.Is(err, ErrNotFinal) {
		t.Fatal(err)
	}
	if _, err := mustParse(t, vs[39].raw(t)).Extract(); !errors.Is(err, ErrNotFinal) {
		t.Fatal(err)
	}
}

func TestCombineRefuses(t *testing.T) {
	base := fullPacket(t, 2)
	cases := map[string]struct {
		want  error
		spoil func(p *Packet)
	}{
		"version":      {ErrVersion, func(p *Packet) { *p = *fullPacket(t, 0) }},
		"output":       {ErrDifferentTx, func(p *Packet) { p.Outputs[0].Amount++ }},
		"outpoint":     {ErrDifferentTx, func(p *Packet) { p.Inputs[0].OutputIndex = 0; p.Inputs[0].WitnessUTXO = nil }},
		"tx version":   {ErrDifferentTx, func(p *Packet) { p.TxVersion = 1 }},
		"lock time":    {ErrDifferentTx, func(p *Packet) { *p.Inputs[1].RequiredHeight = 701 }},
		"more outputs": {ErrDifferentTx, func(p *Packet) { p.Outputs = append(p.Outputs, Output{}) }},
		"invalid":      {ErrMalformed, func(p *Packet) { p.Inputs[0].TapKeySig = nil; p.Inputs[0].SHA256[0].Hash = nil }},
		"duplicate":    {ErrDuplicate, func(p *Packet) { p.Unknown = append(p.Unknown, p.Unknown[0]) }},

		"fallback":       {ErrConflict, func(p *Packet) { p.FallbackLockTime = new(uint32(1)) }},
		"xpub origin":    {ErrConflict, func(p *Packet) { p.XPubs[0].Origin.Fingerprint[0]++ }},
		"sequence":       {ErrConflict, func(p *Packet) { p.Inputs[0].Sequence = new(uint32(7)) }},
		"no sequence":    {ErrConflict, func(p *Packet) { p.Inputs[0].Sequence = nil }},
		"required lock":  {ErrConflict, func(p *Packet) { *p.Inputs[0].RequiredHeight = 601 }},
		"utxo amount":    {ErrConflict, func(p *Packet) { p.Inputs[0].NonWitnessUTXO = nil; p.Inputs[0].WitnessUTXO = wire.NewTxOut(1, nil) }},
		"sighash":        {ErrConflict, func(p *Packet) { *p.Inputs[0].SighashType = 2 }},
		"redeem script":  {ErrConflict, func(p *Packet) { p.Inputs[0].RedeemScript = []byte{2} }},
		"witness script": {ErrConflict, func(p *Packet) { p.Inputs[0].WitnessScript = []byte{2} }},
		"derivation":     {ErrConflict, func(p *Packet) { p.Inputs[0].Derivations[0].Origin.Path = nil }},
		"leaf":           {ErrConflict, func(p *Packet) { p.Inputs[0].TapLeafScripts[0].Script = nil }},
		"internal key":   {ErrConflict, func(p *Packet) { p.Inputs[0].TapInternalKey = new(xOnly(9)) }},
		"merkle root":    {ErrConflict, func(p *Packet) { p.Inputs[0].TapMerkleRoot = new([32]byte) }},
		"nonce":          {ErrConflict, func(p *Packet) { copy(p.Inputs[0].MuSig2PubNonces[0].Nonce[:], pubKey(9)) }},
		"musig2 sig":     {ErrConflict, func(p *Packet) { p.Inputs[0].MuSig2PartialSigs[0].Signature[0]++ }},
		"output script":  {ErrConflict, func(p *Packet) { p.Outputs[1].WitnessScript = nil; p.Outputs[1].RedeemScript = []byte{7} }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := fullPacket(t, 2)
			c.spoil(p)
			for _, ps := range [][]*Packet{{base, p}, {p, base}} {
				if _, err := Combine(ps...); !errors.Is(err, c.want) {
					t.Fatalf("%v, want %v", err, c.want)
				}
			}
		})
	}
	if _, err := Combine(); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := Combine(base, nil); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

func TestConflictNamesTheField(t *testing.T) {
	a, b := fullPacket(t, 2), fullPacket(t, 2)
	b.Outputs[1].RedeemScript = []byte{7}
	_, err := Combine(a, b)
	var c *ConflictError
	if !errors.As(err, &c) || c.Where != "output" || c.Index != 1 || !bytes.Equal(c.Key, []byte{outRedeemScript}) {
		t.Fatal(err)
	}
	b = fullPacket(t, 2)
	*b.Inputs[1].SighashType = 0x83
	if _, err := Combine(a, b); !errors.As(err, &c) || c.Where != "input" || c.Index != 1 {
		t.Fatal(err)
	}
}

// What honest packets can differ in: the value that sorts first, either way.
func TestCombineTakesTheLeast(t *testing.T) {
	a, b := fullPacket(t, 2), fullPacket(t, 2)
	sigs := [][]byte{signature(1, 1), signature(1, 2)}
	if bytes.Compare(sigs[0], sigs[1]) > 0 {
		sigs[0], sigs[1] = sigs[1], sigs[0]
	}
	a.Inputs[0].PartialSigs[0].Signature, b.Inputs[0].PartialSigs[0].Signature = sigs[0], sigs[1]
	a.Inputs[0].TapKeySig, b.Inputs[0].TapKeySig = make([]byte, 64), bytes.Repeat([]byte{1}, 64)
	a.Inputs[0].FinalWitness, b.Inputs[0].FinalWitness = wire.TxWitness{{1}}, wire.TxWitness{{2}}
	a.Unknown[1].Value, b.Unknown[1].Value = []byte{1}, []byte{1, 2}
	// The same spent transaction without its witness is the same transaction.
	b.Inputs[1].NonWitnessUTXO = b.Inputs[1].NonWitnessUTXO.Copy()
	b.Inputs[1].NonWitnessUTXO.TxIn[0].Witness = nil
	want := mustBytes(t, a)
	for _, ps := range [][]*Packet{{a, b}, {b, a}} {
		got, err := Combine(ps...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustBytes(t, got), want) {
			t.Fatal("not the least values")
		}
	}
}

// A combiner that drops sighash types makes signers sign the wrong thing.
func TestCombineKeepsEveryField(t *testing.T) {
	full := fullPacket(t, 2)
	bare := fullPacket(t, 2)
	for i := range bare.Inputs {
		in := bare.Inputs[i]
		bare.Inputs[i] = Input{PrevTxID: in.PrevTxID, OutputIndex: in.OutputIndex, Sequence: in.Sequence,
			RequiredHeight: in.RequiredHeight, RequiredTime: in.RequiredTime}
		bare.Outputs[i] = Output{Amount: bare.Outputs[i].Amount, Script: bare.Outputs[i].Script}
	}
	bare.XPubs, bare.Unknown, bare.Proprietary, bare.FallbackLockTime = nil, nil, nil, nil
	for _, ps := range [][]*Packet{{full, bare}, {bare, full}, {bare, bare, full}} {
		got, err := Combine(ps...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustBytes(t, got), mustBytes(t, full)) {
			t.Fatal("a field was lost")
		}
	}
}

// Updaters may set sequence numbers as long as nobody signed for others.
func TestCombineSequence(t *testing.T) {
	tx, _ := baseTx(2)
	a, err := New(tx, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(tx, 2)
	if err != nil {
		t.Fatal(err)
	}
	a.Inputs[0].Sequence = nil
	got, err := Combine(a, b)
	if err != nil || got.Inputs[0].Sequence == nil || *got.Inputs[0].Sequence != 0xfffffffd {
		t.Fatalf("explicit sequence lost: %v", err)
	}
	b.Inputs[1].PartialSigs = []PartialSig{{pubKey(1), signature(1, 1)}}
	if _, err := Combine(a, b); err != nil {
		t.Fatalf("signed for the explicit sequence: %v", err)
	}
	a.Inputs[1].PartialSigs = b.Inputs[1].PartialSigs
	if _, err := Combine(a, b); !errors.Is(err, ErrConflict) {
		t.Fatalf("signed for the absent sequence: %v", err)
	}
}

// Joined requirements must not move the lock time under the signatures.
func TestCombineLockTime(t *testing.T) {
	const at = 1_700_000_000
	a, b := twoTimeLocks(t, at), twoTimeLocks(t, at)
	a.Inputs[1].RequiredTime = nil
	b.Inputs[0].RequiredTime = nil
	got, err := Combine(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if lock, err := got.LockTime(); err != nil || lock != at {
		t.Fatalf("%d, %v", lock, err)
	}
	// Alone each gives the time; joined, both inputs would allow height 5.
	a, b = twoTimeLocks(t, at), twoTimeLocks(t, at)
	a.Inputs[0].RequiredHeight = new(uint32(5))
	b.Inputs[1].RequiredHeight = new(uint32(5))
	if _, err := Combine(a, b); !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
}

func twoTimeLocks(t *testing.T, at uint32) *Packet {
	t.Helper()
	tx, _ := baseTx(2)
	p, err := New(tx, 2)
	if err != nil {
		t.Fatal(err)
	}
	p.Inputs[0].RequiredTime, p.Inputs[1].RequiredTime = &at, &at
	return p
}

func TestCombineModifiable(t *testing.T) {
	cases := []struct{ a, b, want *uint8 }{
		{nil, nil, nil},
		{new(uint8(3)), nil, new(uint8(0))},
		{new(uint8(3)), new(uint8(3)), new(uint8(3))},
		{new(uint8(1)), new(uint8(3)), new(uint8(1))},
		{new(uint8(3)), new(uint8(4)), new(uint8(4))},
		{new(uint8(7)), new(uint8(3)), new(uint8(7))},
		{nil, new(uint8(4)), new(uint8(4))},
		{new(uint8(0xfb)), new(uint8(0x0f)), new(uint8(0x0f))},
	}
	for i, c := range cases {
		a, b := fullPacket(t, 2), fullPacket(t, 2)
		a.Modifiable, b.Modifiable = c.a, c.b
		for _, ps := range [][]*Packet{{a, b}, {b, a}} {
			got, err := Combine(ps...)
			if err != nil {
				t.Fatal(err)
			}
			if (got.Modifiable == nil) != (c.want == nil) || c.want != nil && *got.Modifiable != *c.want {
				t.Errorf("%d: %v", i, got.Modifiable)
			}
		}
	}
}
