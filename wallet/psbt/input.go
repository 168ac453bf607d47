package psbt

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// finalSequence is what an input has that names no sequence number (BIP370).
const finalSequence = 0xffffffff

// Input is one input of a packet (BIP174, BIP370, BIP371, BIP373).
type Input struct {
	PrevTxID    chainhash.Hash
	OutputIndex uint32
	Sequence    *uint32 // nil means 0xffffffff

	RequiredTime   *uint32 // version 2: least lock time, Unix seconds, at least 500000000
	RequiredHeight *uint32 // version 2: least lock time, block height, 1 to 499999999

	NonWitnessUTXO *wire.MsgTx // the whole transaction that is spent
	WitnessUTXO    *wire.TxOut // the output that is spent, Value in satoshis
	PartialSigs    []PartialSig
	SighashType    *uint32
	RedeemScript   []byte
	WitnessScript  []byte
	Derivations    []Derivation
	FinalScriptSig []byte
	FinalWitness   wire.TxWitness
	PorCommitment  []byte // proof of reserves commitment (BIP127)

	RIPEMD160 []Preimage
	SHA256    []Preimage
	Hash160   []Preimage
	Hash256   []Preimage

	TapKeySig      []byte
	TapScriptSigs  []TapScriptSig
	TapLeafScripts []TapLeafScript
	TapDerivations []TapDerivation
	TapInternalKey *[32]byte
	TapMerkleRoot  *[32]byte

	MuSig2Participants []MuSig2Participants
	MuSig2PubNonces    []MuSig2PubNonce
	MuSig2PartialSigs  []MuSig2PartialSig

	Proprietary []Proprietary
	Unknown     []Unknown
}

// sequence returns the sequence number the transaction will carry.
func (in *Input) sequence() uint32 {
	if in.Sequence == nil {
		return finalSequence
	}
	return *in.Sequence
}

// signed tells whether the input holds any signature or final script.
func (in *Input) signed() bool {
	return len(in.PartialSigs) != 0 || in.FinalScriptSig != nil || in.FinalWitness != nil ||
		in.TapKeySig != nil || len(in.TapScriptSigs) != 0 || len(in.MuSig2PartialSigs) != 0
}
