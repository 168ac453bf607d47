package psbt

import "encoding/binary"

// fields returns the input's map.
func (in *Input) fields(version uint32) *fields {
	f := &fields{kind: inputMap}
	if in.NonWitnessUTXO != nil {
		f.add(inNonWitnessUTXO, appendTx(nil, in.NonWitnessUTXO))
	}
	if in.WitnessUTXO != nil {
		f.add(inWitnessUTXO, appendTxOut(nil, in.WitnessUTXO))
	}
	for _, s := range in.PartialSigs {
		f.addKey(key(inPartialSig, s.PubKey), s.Signature)
	}
	f.addUint32(inSighashType, in.SighashType)
	f.addSome(inRedeemScript, in.RedeemScript)
	f.addSome(inWitnessScript, in.WitnessScript)
	f.addDerivations(inDerivation, in.Derivations)
	f.addSome(inFinalScriptSig, in.FinalScriptSig)
	if in.FinalWitness != nil {
		f.add(inFinalWitness, appendWitness(nil, in.FinalWitness))
	}
	f.addSome(inPorCommitment, in.PorCommitment)
	for _, typ := range []byte{inRIPEMD160, inSHA256, inHash160, inHash256} {
		for _, pre := range *in.preimages(typ) {
			f.addKey(key(typ, pre.Hash), pre.Preimage)
		}
	}
	in.addTaproot(f)
	in.addMuSig2(f)
	if version == 2 {
		f.add(inPrevTxID, in.PrevTxID[:])
		f.add(inOutputIndex, binary.LittleEndian.AppendUint32(nil, in.OutputIndex))
		f.addUint32(inSequence, in.Sequence)
		f.addUint32(inRequiredTime, in.RequiredTime)
		f.addUint32(inRequiredHeight, in.RequiredHeight)
	}
	f.addProprietary(in.Proprietary)
	f.addUnknown(in.Unknown)
	return f
}
