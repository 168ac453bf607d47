package wallet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

// toSpend is BIP322's virtual transaction that commits to a message. It spends
// an output that cannot exist, so nothing that is signed here is ever of use
// on the chain.
func toSpend(text string, pkScript []byte) *wire.MsgTx {
	tag := sha256.Sum256([]byte("BIP0322-signed-message"))
	hash := sha256.Sum256(slices.Concat(tag[:], tag[:], []byte(text)))
	tx := wire.NewMsgTx(0)
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex},
		SignatureScript:  append([]byte{txscript.OP_0, 32}, hash[:]...),
	})
	tx.AddTxOut(wire.NewTxOut(0, pkScript))
	return tx
}

// toSign is BIP322's virtual transaction that spends toSpend, without a signature.
func toSign(spend *wire.MsgTx) *wire.MsgTx {
	tx := wire.NewMsgTx(0)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: spend.TxHash()}})
	tx.AddTxOut(wire.NewTxOut(0, []byte{txscript.OP_RETURN}))
	return tx
}

// bip322Hash is what the key of a P2WPKH address signs.
func (p ProofKey) bip322Hash(text string) ([32]byte, error) {
	tx := toSign(toSpend(text, p.PkScript))
	prev := []*wire.TxOut{{PkScript: p.PkScript}}
	mid := txscript.NewTxSigHashes(tx, &prevOuts{tx: tx, prev: prev})
	h, err := txscript.CalcWitnessSigHash(p.PkScript, mid, txscript.SigHashAll, tx, 0, 0)
	if err != nil {
		return [32]byte{}, fmt.Errorf("hash message: %w", err)
	}
	return [32]byte(h), nil
}

// VerifyBIP322 checks a signature of BIP322's to_sign by the proof key's P2WPKH
// address: strict DER with low S, and SIGHASH_ALL. Errors: ErrMessageSignature,
// ErrSignatureEncoding, ErrSignatureHighS, ErrSignatureHashType.
func (p ProofKey) VerifyBIP322(text string, sig []byte) error {
	parsed, err := parseTxSignature(sig, txscript.SigHashAll)
	if err != nil {
		return err
	}
	pub, err := btcec.ParsePubKey(p.PubKey[:])
	if err != nil {
		return fmt.Errorf("verify message: %w", err)
	}
	hash, err := p.bip322Hash(text)
	if err != nil {
		return err
	}
	if !parsed.Verify(hash[:], pub) {
		return fmt.Errorf("%w: it is by another key, or of another text", ErrMessageSignature)
	}
	return nil
}

// ProofPSBT returns BIP322's to_sign as a PSBT of version 0 or 2, for devices
// that sign nothing else: it pays nothing and cannot be mined.
func (p ProofKey) ProofPSBT(text string, version uint32) (*psbt.Packet, error) {
	spend := toSpend(text, p.PkScript)
	packet, err := psbt.New(toSign(spend), version)
	if err != nil {
		return nil, fmt.Errorf("build proof: %w", err)
	}
	packet.Inputs[0].NonWitnessUTXO = spend
	packet.Inputs[0].WitnessUTXO = &wire.TxOut{PkScript: bytes.Clone(p.PkScript)}
	packet.Inputs[0].Derivations = []psbt.Derivation{{
		PubKey: bytes.Clone(p.PubKey[:]), Origin: psbt.Origin{Fingerprint: p.Fingerprint, Path: slices.Clone(p.Path)},
	}}
	if err := packet.Validate(); err != nil {
		return nil, fmt.Errorf("build proof: %w", err)
	}
	return packet, nil
}

// ProofFromPSBT takes the signature out of a signed proof, finalized or not.
// It returns ErrForeignTx for the PSBT of anything else, and
// ErrMessageSignature where the proof key's signature is not in it.
func (p ProofKey) ProofFromPSBT(text string, packet *psbt.Packet) ([]byte, error) {
	tx, err := packet.UnsignedTx()
	if err != nil {
		return nil, fmt.Errorf("read proof: %w", err)
	}
	if want := toSign(toSpend(text, p.PkScript)).TxHash(); tx.TxHash() != want {
		return nil, fmt.Errorf("read proof: %w: it is not the proof that was handed out", ErrForeignTx)
	}
	for _, s := range packet.Inputs[0].PartialSigs {
		if bytes.Equal(s.PubKey, p.PubKey[:]) {
			return s.Signature, nil
		}
	}
	if w := packet.Inputs[0].FinalWitness; len(w) == 2 && bytes.Equal(w[1], p.PubKey[:]) {
		return w[0], nil
	}
	return nil, fmt.Errorf("read proof: %w: the PSBT is not signed by this key", ErrMessageSignature)
}

var errOtherKey = fmt.Errorf("%w: it is by another key", ErrMessageSignature)

// readSimple takes the signature out of the witness of BIP322's simple form.
func readSimple(raw []byte, p ProofKey) ([]byte, error) {
	r := bytes.NewReader(raw)
	n, err := wire.ReadVarInt(r, 0)
	if err != nil || n != 2 {
		return nil, fmt.Errorf("%w: neither a signed message nor BIP322's simple form by a P2WPKH address", ErrMessageSignature)
	}
	var items [2][]byte
	for i := range items {
		if items[i], err = wire.ReadVarBytes(r, 0, 80, "witness item"); err != nil {
			return nil, fmt.Errorf("%w: cut short", ErrMessageSignature)
		}
	}
	if r.Len() != 0 {
		return nil, fmt.Errorf("%w: surplus bytes", ErrMessageSignature)
	}
	if !bytes.Equal(items[1], p.PubKey[:]) {
		return nil, errOtherKey
	}
	return items[0], nil
}
