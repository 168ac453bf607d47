package psbt

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func privKey(seed byte) *btcec.PrivateKey {
	priv, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{seed}, 32))
	return priv
}

func pubKey(seed byte) []byte { return privKey(seed).PubKey().SerializeCompressed() }

func pubKey33(seed byte) [33]byte { return [33]byte(pubKey(seed)) }

func xOnly(seed byte) [32]byte { return [32]byte(pubKey(seed)[1:]) }

// signature returns an ECDSA signature by key seed, another for each message.
func signature(seed, message byte) []byte {
	return append(ecdsa.Sign(privKey(seed), bytes.Repeat([]byte{message}, 32)).Serialize(), 1)
}

// baseTx is an unsigned transaction of n inputs and n outputs, and what it
// spends.
func baseTx(n int) (*wire.MsgTx, []*wire.MsgTx) {
	tx := wire.NewMsgTx(2)
	tx.LockTime = 500
	var prevs []*wire.MsgTx
	for i := range n {
		prev := wire.NewMsgTx(2)
		prev.LockTime = uint32(i)
		prev.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 7}, []byte{1, 2}, wire.TxWitness{{}, {3}}))
		prev.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
		prev.AddTxOut(wire.NewTxOut(100_000, append([]byte{0x51, 0x20}, pubKey(1)[1:]...)))
		prevs = append(prevs, prev)
		hash := prev.TxHash()
		in := wire.NewTxIn(wire.NewOutPoint(&hash, 1), nil, nil)
		in.Sequence = 0xfffffffd
		tx.AddTxIn(in)
		tx.AddTxOut(wire.NewTxOut(int64(9000+i), []byte{0x51}))
	}
	return tx, prevs
}

// fullPacket holds every field there is.
func fullPacket(t testing.TB, version uint32) *Packet {
	t.Helper()
	tx, prevs := baseTx(2)
	p, err := New(tx, version)
	if err != nil {
		t.Fatal(err)
	}
	origin := Origin{Fingerprint: [4]byte{1, 2, 3, 4}, Path: []uint32{48 | 1<<31, 1}}
	leaf := [32]byte{9}
	for i := range p.Inputs {
		fullInput(&p.Inputs[i], prevs[i], origin, leaf)
		fullOutput(&p.Outputs[i], origin, leaf)
	}
	var x XPub
	x.Key[4] = 2
	copy(x.Key[45:], pubKey(1))
	x.Origin = origin
	p.XPubs = []XPub{x}
	p.Proprietary = []Proprietary{{Identifier: []byte("q"), Subtype: 300, Key: []byte{1}, Value: []byte{2}}}
	p.Unknown = []Unknown{{Key: []byte{0x77, 1}, Value: []byte{}}, {Key: []byte{0xfd, 0, 1}, Value: []byte{5}}}
	if version == 2 {
		p.Modifiable = new(InputsModifiable | HasSighashSingle)
		p.Inputs[0].RequiredTime = new(uint32(lockTimeThreshold))
		p.Inputs[0].RequiredHeight = new(uint32(600))
		p.Inputs[1].RequiredHeight = new(uint32(700))
	}
	return p
}

func fullInput(in *Input, prev *wire.MsgTx, origin Origin, leaf [32]byte) {
	in.NonWitnessUTXO, in.WitnessUTXO = prev, prev.TxOut[1]
	uncompressed := privKey(2).PubKey().SerializeUncompressed()
	in.PartialSigs = []PartialSig{{pubKey(1), signature(1, 1)}, {uncompressed, signature(2, 1)}}
	in.SighashType = new(uint32(1))
	in.RedeemScript, in.WitnessScript = []byte{0x51}, []byte{}
	in.Derivations = []Derivation{{pubKey(1), origin}, {uncompressed, Origin{Path: []uint32{}}}}
	in.FinalScriptSig, in.FinalWitness = []byte{0x51}, wire.TxWitness{{}, {1, 2}}
	in.PorCommitment = []byte("proof")
	for _, typ := range []byte{inRIPEMD160, inSHA256, inHash160, inHash256} {
		for _, pre := range [][]byte{{}, {1}, {2}} {
			list := in.preimages(typ)
			*list = append(*list, Preimage{Hash: hashOf(typ, pre), Preimage: pre})
		}
	}
	schnorr := bytes.Repeat([]byte{1}, 64)
	in.TapKeySig = append(bytes.Clone(schnorr), 0x83)
	in.TapScriptSigs = []TapScriptSig{{xOnly(1), leaf, schnorr}}
	block := append([]byte{0xc0}, bytes.Repeat([]byte{1}, 32)...)
	in.TapLeafScripts = []TapLeafScript{
		{ControlBlock: append(block[:33:33], bytes.Repeat([]byte{0}, 32)...), Script: []byte{0x51}, LeafVersion: 0xc0},
		{ControlBlock: block, Script: []byte{0x51}, LeafVersion: 0xc0},
	}
	in.TapDerivations = []TapDerivation{{xOnly(1), [][32]byte{{2}, leaf}, origin}, {xOnly(2), [][32]byte{}, origin}}
	in.TapInternalKey, in.TapMerkleRoot = new(xOnly(3)), new([32]byte{4})
	in.MuSig2Participants = []MuSig2Participants{{pubKey33(3), [][33]byte{pubKey33(1), pubKey33(2)}}}
	in.MuSig2PubNonces = []MuSig2PubNonce{
		{pubKey33(1), pubKey33(3), nil, [66]byte(append(pubKey(4), pubKey(5)...))},
		{pubKey33(1), pubKey33(3), &leaf, [66]byte(append(pubKey(6), pubKey(7)...))},
	}
	in.MuSig2PartialSigs = []MuSig2PartialSig{{pubKey33(1), pubKey33(3), &leaf, [32]byte{8}}}
	in.Proprietary = []Proprietary{{Identifier: []byte{}, Key: []byte{}, Value: []byte{}}}
	in.Unknown = []Unknown{{Key: []byte{0x19}, Value: []byte{1}}}
}

func fullOutput(out *Output, origin Origin, leaf [32]byte) {
	out.RedeemScript, out.WitnessScript = []byte{1}, []byte{2}
	out.Derivations = []Derivation{{pubKey(1), origin}}
	out.TapInternalKey = new(xOnly(3))
	out.TapTree = []TapLeaf{{1, 0xc0, []byte{0x51}}, {2, 0xc0, []byte{}}, {2, 0xc2, []byte{0x52}}}
	out.TapDerivations = []TapDerivation{{xOnly(1), [][32]byte{leaf}, origin}}
	out.MuSig2Participants = []MuSig2Participants{{pubKey33(3), [][33]byte{}}}
	out.Proprietary = []Proprietary{{Identifier: []byte("ab"), Subtype: 1 << 40, Key: []byte{1, 2}, Value: []byte{3}}}
	out.Unknown = []Unknown{{Key: []byte{0xf0, 1}, Value: []byte{1}}}
}

func TestFullPacketRoundTrips(t *testing.T) {
	for _, version := range []uint32{0, 2} {
		raw := mustBytes(t, fullPacket(t, version))
		p := mustParse(t, raw)
		roundTrip(t, p, raw)
		// Nothing that was put in is missing, but for the order.
		want, got := fullPacket(t, version), p
		if len(got.Inputs[0].PartialSigs) != 2 || len(got.Inputs[0].Hash256) != 3 ||
			!reflect.DeepEqual(got.XPubs, want.XPubs) || !reflect.DeepEqual(got.Outputs, want.Outputs) ||
			!reflect.DeepEqual(got.Proprietary, want.Proprietary) ||
			!reflect.DeepEqual(got.Inputs[0].MuSig2PubNonces, want.Inputs[0].MuSig2PubNonces) ||
			!reflect.DeepEqual(got.Inputs[0].NonWitnessUTXO, want.Inputs[0].NonWitnessUTXO) ||
			!reflect.DeepEqual(got.Inputs[0].FinalWitness, want.Inputs[0].FinalWitness) {
			t.Fatalf("version %d: a field was lost", version)
		}
		// The order in which fields were added does not matter.
		q := fullPacket(t, version)
		in := &q.Inputs[0]
		in.PartialSigs[0], in.PartialSigs[1] = in.PartialSigs[1], in.PartialSigs[0]
		in.TapLeafScripts[0], in.TapLeafScripts[1] = in.TapLeafScripts[1], in.TapLeafScripts[0]
		in.TapDerivations[0].LeafHashes = [][32]byte{{9}, {2}, {9}}
		if !bytes.Equal(mustBytes(t, q), raw) {
			t.Fatalf("version %d: order of fields changed the bytes", version)
		}
	}
}

// Core writes partial signatures by the hash of the key, leaf scripts by script
// and then by length of the control block, nonces by aggregate key.
func TestCanonicalOrder(t *testing.T) {
	p := mustParse(t, mustBytes(t, fullPacket(t, 2)))
	in := &p.Inputs[0]
	if bytes.Compare(hash160(in.PartialSigs[0].PubKey), hash160(in.PartialSigs[1].PubKey)) >= 0 {
		t.Error("partial signatures not by hash of the key")
	}
	if len(in.TapLeafScripts[0].ControlBlock) != 33 {
		t.Error("longer control block first")
	}
	if in.MuSig2PubNonces[0].LeafHash != nil {
		t.Error("leaf nonce before the key path's")
	}
	last := len(p.Inputs[0].fields(2).records) - 1
	f := p.Inputs[0].fields(2)
	f.sort()
	if f.records[last].key[0] != 0x19 || f.records[last-1].key[0] != inPorCommitment {
		t.Error("types that Core does not know are not last")
	}
	origins := []Origin{ // in order
		{Fingerprint: [4]byte{1}, Path: []uint32{9}},
		{Fingerprint: [4]byte{2}, Path: []uint32{9}},
		{Fingerprint: [4]byte{2}, Path: []uint32{1 << 8}},
		{Fingerprint: [4]byte{2}, Path: []uint32{0, 0}},
	}
	for i := range origins[1:] {
		a, b := originOrder(appendOrigin(nil, origins[i])), originOrder(appendOrigin(nil, origins[i+1]))
		if bytes.Compare(a, b) >= 0 {
			t.Errorf("origins %d and %d out of order", i, i+1)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	tx, _ := baseTx(1)
	if _, err := New(tx, 1); err == nil {
		t.Error("version 1 accepted")
	}
	tx.TxIn[0].Witness = wire.TxWitness{{1}}
	if _, err := New(tx, 2); err == nil {
		t.Error("witness accepted")
	}
	tx.TxIn[0].Witness, tx.TxIn[0].SignatureScript = nil, []byte{1}
	if _, err := New(tx, 0); err == nil {
		t.Error("scriptSig accepted")
	}
}

func TestParseDoesNotKeepItsInput(t *testing.T) {
	raw := mustBytes(t, fullPacket(t, 2))
	p := mustParse(t, raw)
	want := sha256.Sum256(raw)
	clear(raw)
	if sha256.Sum256(mustBytes(t, p)) != want {
		t.Fatal("the packet changed with the bytes it was parsed from")
	}
}

func TestUnsignedTxIsACopy(t *testing.T) {
	base, _ := baseTx(2)
	p, err := New(base, 0)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := p.UnsignedTx()
	if err != nil {
		t.Fatal(err)
	}
	if tx.TxHash() != base.TxHash() {
		t.Fatal("another transaction")
	}
	tx.TxOut[0].PkScript[0] = 0
	tx.TxIn[0].PreviousOutPoint.Hash = chainhash.Hash{}
	again, err := p.UnsignedTx()
	if err != nil || again.TxHash() != base.TxHash() {
		t.Fatalf("a change of the copy changed the packet: %v", err)
	}
}
