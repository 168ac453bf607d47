package psbt

import (
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// required marks the fields that version 2 demands.
type required struct{ first, second bool }

// decodeInput reads an input map. In version 0 the input already holds what the
// unsigned transaction says of it.
func (in *Input) decodeInput(r *reader, f *fields, version uint32) error {
	var got required
	for i := range f.records {
		rec := &f.records[i]
		if err := in.decodeField(r, rec, version, &got); err != nil {
			return fmt.Errorf("field %#02x: %w", rec.key[0], err)
		}
	}
	if version == 2 && (!got.first || !got.second) {
		return fmt.Errorf("previous txid or output index: %w", ErrMissing)
	}
	return nil
}

func (in *Input) decodeField(r *reader, rec *record, version uint32, got *required) error {
	data, value := rec.key[1:], rec.value
	switch typ := rec.key[0]; typ {
	case inPrevTxID, inOutputIndex, inSequence, inRequiredTime, inRequiredHeight:
		if version == 0 {
			return ErrForbidden
		}
		return in.decodeV2(typ, data, value, got)
	case inNonWitnessUTXO, inWitnessUTXO, inFinalWitness:
		if err := noKeyData(data); err != nil {
			return err
		}
		return in.decodeSpent(typ, r.sub(value))
	case inRIPEMD160, inSHA256, inHash160, inHash256:
		list := in.preimages(typ)
		*list = append(*list, Preimage{Hash: data, Preimage: value})
		return nil
	case inTapKeySig, inTapScriptSig, inTapLeafScript, inTapDerivation, inTapInternalKey, inTapMerkleRoot:
		return in.decodeTaproot(r, typ, data, value)
	case inMuSig2Participants, inMuSig2PubNonce, inMuSig2PartialSig:
		return in.decodeMuSig2(typ, data, value)
	}
	return in.decodeV0(r, rec)
}

// decodeV0 reads the plain fields of BIP174 and what no type is known for.
func (in *Input) decodeV0(r *reader, rec *record) (err error) {
	data, value := rec.key[1:], rec.value
	switch rec.key[0] {
	case inPartialSig:
		in.PartialSigs = append(in.PartialSigs, PartialSig{PubKey: data, Signature: value})
	case inSighashType:
		in.SighashType, err = decodeUint32(data, value)
	case inRedeemScript:
		in.RedeemScript, err = decodeBytes(data, value)
	case inWitnessScript:
		in.WitnessScript, err = decodeBytes(data, value)
	case inDerivation:
		var d Derivation
		d, err = decodeDerivation(data, value)
		in.Derivations = append(in.Derivations, d)
	case inFinalScriptSig:
		in.FinalScriptSig, err = decodeBytes(data, value)
	case inPorCommitment:
		in.PorCommitment, err = decodeBytes(data, value)
	case typeProprietary:
		var x Proprietary
		x, err = decodeProprietary(r.sub(data), value)
		in.Proprietary = append(in.Proprietary, x)
	default:
		var x Unknown
		x, err = decodeUnknown(r.sub(rec.key), value)
		in.Unknown = append(in.Unknown, x)
	}
	return err
}

func (in *Input) decodeV2(typ byte, data, value []byte, got *required) (err error) {
	switch typ {
	case inPrevTxID:
		var id *[32]byte
		if id, err = decode32(data, value); err != nil {
			return err
		}
		in.PrevTxID = *id
		got.first = true
	case inOutputIndex:
		var index *uint32
		if index, err = decodeUint32(data, value); err != nil {
			return err
		}
		in.OutputIndex = *index
		got.second = true
	case inSequence:
		in.Sequence, err = decodeUint32(data, value)
	case inRequiredTime:
		in.RequiredTime, err = decodeUint32(data, value)
	case inRequiredHeight:
		in.RequiredHeight, err = decodeUint32(data, value)
	}
	return err
}

func (in *Input) decodeSpent(typ byte, r *reader) (err error) {
	switch typ {
	case inNonWitnessUTXO:
		in.NonWitnessUTXO, err = readTx(r, true)
		return err
	case inWitnessUTXO:
		in.WitnessUTXO = new(wire.TxOut)
		err = readTxOut(r, in.WitnessUTXO)
	case inFinalWitness:
		in.FinalWitness, err = readWitness(r)
	}
	if err != nil {
		return err
	}
	return r.end()
}

// preimages returns the list that holds preimages of a type.
func (in *Input) preimages(typ byte) *[]Preimage {
	switch typ {
	case inRIPEMD160:
		return &in.RIPEMD160
	case inSHA256:
		return &in.SHA256
	case inHash160:
		return &in.Hash160
	}
	return &in.Hash256
}
