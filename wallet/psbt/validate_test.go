package psbt

import (
	"bytes"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// Each rule is broken once, in a packet that is otherwise right.
func TestValidateRefuses(t *testing.T) {
	offCurve := append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)
	offX := [32]byte(offCurve[1:])
	hybrid := privKey(2).PubKey().SerializeUncompressed()
	hybrid[0] = 6 + hybrid[64]&1
	deep := Origin{Path: make([]uint32, MaxPath+1)}
	cases := map[string]struct {
		want  error
		spoil func(p *Packet, in *Input, out *Output)
	}{
		"version":           {ErrVersion, func(p *Packet, in *Input, out *Output) { p.Version = 1 }},
		"v2 field in v0":    {ErrForbidden, func(p *Packet, in *Input, out *Output) { p.Version = 0 }},
		"locks in v0":       {ErrForbidden, func(p *Packet, in *Input, out *Output) { p.Version, p.Modifiable = 0, nil }},
		"inputs":            {ErrTooLarge, func(p *Packet, in *Input, out *Output) { p.Inputs = make([]Input, MaxInputs+1) }},
		"outputs":           {ErrTooLarge, func(p *Packet, in *Input, out *Output) { p.Outputs = make([]Output, MaxOutputs+1) }},
		"outpoint twice":    {ErrMalformed, func(p *Packet, in *Input, out *Output) { p.Inputs[1] = p.Inputs[0] }},
		"xpub key":          {ErrMalformed, func(p *Packet, in *Input, out *Output) { copy(p.XPubs[0].Key[45:], offCurve) }},
		"xpub depth":        {ErrMalformed, func(p *Packet, in *Input, out *Output) { p.XPubs[0].Key[4]++ }},
		"xpub twice":        {ErrDuplicate, func(p *Packet, in *Input, out *Output) { p.XPubs = append(p.XPubs, p.XPubs[0]) }},
		"unknown is known":  {ErrMalformed, func(p *Packet, in *Input, out *Output) { p.Unknown[0].Key = []byte{globalXPub} }},
		"unknown por":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.Unknown[0].Key = []byte{inPorCommitment} }},
		"unknown empty":     {ErrTruncated, func(p *Packet, in *Input, out *Output) { out.Unknown[0].Key = nil }},
		"unknown long type": {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.Unknown[0].Key = []byte{0xfd, 1, 0} }},
		"unknown long key": {ErrTooLarge, func(p *Packet, in *Input, out *Output) {
			out.Unknown[0].Key = append([]byte{0xf0}, make([]byte, MaxKeySize)...)
		}},
		"time lock":            {ErrMalformed, func(p *Packet, in *Input, out *Output) { *in.RequiredTime = lockTimeThreshold - 1 }},
		"height lock":          {ErrMalformed, func(p *Packet, in *Input, out *Output) { *in.RequiredHeight = lockTimeThreshold }},
		"height lock 0":        {ErrMalformed, func(p *Packet, in *Input, out *Output) { *in.RequiredHeight = 0 }},
		"prev tx":              {ErrUTXO, func(p *Packet, in *Input, out *Output) { in.NonWitnessUTXO.LockTime++ }},
		"prev tx index":        {ErrUTXO, func(p *Packet, in *Input, out *Output) { in.OutputIndex = 2 }},
		"prev tx inputs":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.NonWitnessUTXO.TxIn = nil }},
		"utxo amount":          {ErrUTXO, func(p *Packet, in *Input, out *Output) { in.WitnessUTXO = wire.NewTxOut(1, in.WitnessUTXO.PkScript) }},
		"utxo script":          {ErrUTXO, func(p *Packet, in *Input, out *Output) { in.WitnessUTXO = wire.NewTxOut(in.WitnessUTXO.Value, nil) }},
		"utxo money":           {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.NonWitnessUTXO = nil; in.WitnessUTXO.Value = maxMoney + 1 }},
		"partial sig key":      {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.PartialSigs[0].PubKey = offCurve }},
		"partial sig hybrid":   {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.PartialSigs[0].PubKey = hybrid }},
		"partial sig key size": {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.PartialSigs[0].PubKey = pubKey(1)[:32] }},
		"partial sig":          {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.PartialSigs[0].Signature = nil }},
		"partial sig twice":    {ErrDuplicate, func(p *Packet, in *Input, out *Output) { in.PartialSigs[0] = in.PartialSigs[1] }},
		"derivation key":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.Derivations[0].PubKey = offCurve }},
		"derivation path":      {ErrTooLarge, func(p *Packet, in *Input, out *Output) { in.Derivations[0].Origin = deep }},
		"witness items":        {ErrTooLarge, func(p *Packet, in *Input, out *Output) { in.FinalWitness = make(wire.TxWitness, MaxWitnessItems+1) }},
		"ripemd160":            {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.RIPEMD160[0].Preimage = []byte{9} }},
		"sha256":               {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.SHA256[0].Preimage = []byte{9} }},
		"hash160":              {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.Hash160[0].Hash = nil }},
		"hash256":              {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.Hash256[0].Preimage = []byte{9} }},
		"tap key sig":          {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapKeySig = in.TapKeySig[:63] }},
		"tap key sig sighash":  {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapKeySig[64] = 0 }},
		"tap script sig key":   {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapScriptSigs[0].PubKey = offX }},
		"tap script sig":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapScriptSigs[0].Signature = make([]byte, 66) }},
		"control block":        {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapLeafScripts[0].ControlBlock = make([]byte, 34) }},
		"control block long":   {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapLeafScripts[0].ControlBlock = make([]byte, 33+32*129) }},
		"tap derivation":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapDerivations[0].PubKey = offX }},
		"tap derivation path":  {ErrTooLarge, func(p *Packet, in *Input, out *Output) { out.TapDerivations[0].Origin = deep }},
		"tap internal key":     {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.TapInternalKey = &offX }},
		"musig2 aggregate":     {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.MuSig2Participants[0].Aggregate = [33]byte(offCurve) }},
		"musig2 participant":   {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.MuSig2Participants[0].Participants[1] = [33]byte{} }},
		"musig2 nonce":         {ErrMalformed, func(p *Packet, in *Input, out *Output) { clear(in.MuSig2PubNonces[0].Nonce[33:]) }},
		"musig2 nonce key":     {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.MuSig2PubNonces[0].Participant = [33]byte{} }},
		"musig2 sig":           {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.MuSig2PartialSigs[0].Signature = offX }},
		"musig2 sig key":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { in.MuSig2PartialSigs[0].Aggregate = [33]byte{} }},
		"amount":               {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.Amount = -1 }},
		"output derivation":    {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.Derivations[0].PubKey = nil }},
		"output internal key":  {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapInternalKey = &offX }},
		"output musig2":        {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.MuSig2Participants[0].Aggregate = [33]byte{} }},
		"tap tree empty":       {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapTree = []TapLeaf{} }},
		"tap tree incomplete":  {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapTree = out.TapTree[:2] }},
		"tap tree overfull":    {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapTree = append(out.TapTree, out.TapTree[0]) }},
		"tap tree order": {ErrMalformed, func(p *Packet, in *Input, out *Output) {
			out.TapTree[1], out.TapTree[0] = out.TapTree[0], out.TapTree[1]
		}},
		"tap leaf version": {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapTree[0].LeafVersion = 0xc1 }},
		"tap leaf depth":   {ErrMalformed, func(p *Packet, in *Input, out *Output) { out.TapTree[0].Depth = maxTapDepth + 1 }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := fullPacket(t, 2)
			c.spoil(p, &p.Inputs[0], &p.Outputs[0])
			if _, err := p.Bytes(); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestSignatureShape(t *testing.T) {
	good := signature(1, 1)
	if err := validateECDSA(good); err != nil {
		t.Fatal(err)
	}
	// The least there can be: two integers of one byte.
	if err := validateECDSA([]byte{0x30, 6, 2, 1, 1, 2, 1, 1, 0x81}); err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{
		"empty":       {},
		"sighash 0":   append(bytes.Clone(good[:len(good)-1]), 0),
		"sighash 4":   append(bytes.Clone(good[:len(good)-1]), 4),
		"no sighash":  good[:len(good)-1],
		"short":       good[:20],
		"long":        append(bytes.Clone(good), 1),
		"not a list":  append([]byte{0x31}, good[1:]...),
		"negative":    {0x30, 6, 2, 1, 0x80, 2, 1, 1, 1},
		"padded":      {0x30, 7, 2, 2, 0, 1, 2, 1, 1, 1},
		"empty int":   {0x30, 6, 2, 0, 2, 2, 1, 1, 1},
		"not an int":  {0x30, 6, 3, 1, 1, 2, 1, 1, 1},
		"int too big": {0x30, 6, 2, 1, 1, 2, 2, 1, 1},
		"left over":   {0x30, 7, 2, 1, 1, 2, 1, 1, 5, 1},
		"one int":     {0x30, 6, 2, 4, 1, 1, 1, 1, 1},
	}
	for name, sig := range bad {
		if validateECDSA(sig) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
