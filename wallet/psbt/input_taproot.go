package psbt

// decodeTaproot reads a field of BIP371.
func (in *Input) decodeTaproot(r *reader, typ byte, data, value []byte) (err error) {
	switch typ {
	case inTapKeySig:
		in.TapKeySig, err = decodeBytes(data, value)
	case inTapScriptSig:
		if len(data) != 64 {
			return wrongSize("x-only public key and leaf hash", len(data))
		}
		in.TapScriptSigs = append(in.TapScriptSigs, TapScriptSig{
			PubKey: [32]byte(data), LeafHash: [32]byte(data[32:]), Signature: value,
		})
	case inTapLeafScript:
		if len(value) == 0 {
			return wrongSize("script and leaf version", 0)
		}
		last := len(value) - 1
		in.TapLeafScripts = append(in.TapLeafScripts, TapLeafScript{
			ControlBlock: data, Script: value[:last:last], LeafVersion: value[last],
		})
	case inTapDerivation:
		var d TapDerivation
		d, err = decodeTapDerivation(r.sub(value), data)
		in.TapDerivations = append(in.TapDerivations, d)
	case inTapInternalKey:
		in.TapInternalKey, err = decode32(data, value)
	case inTapMerkleRoot:
		in.TapMerkleRoot, err = decode32(data, value)
	}
	return err
}

// decodeMuSig2 reads a field of BIP373.
func (in *Input) decodeMuSig2(typ byte, data, value []byte) error {
	if typ == inMuSig2Participants {
		ps, err := decodeMuSig2Participants(data, value)
		in.MuSig2Participants = append(in.MuSig2Participants, ps)
		return err
	}
	if len(data) != 66 && len(data) != 98 {
		return wrongSize("participant key, aggregate key and leaf hash", len(data))
	}
	participant, aggregate := [33]byte(data), [33]byte(data[33:])
	var leaf *[32]byte
	if len(data) == 98 {
		leaf = (*[32]byte)(data[66:])
	}
	if typ == inMuSig2PubNonce {
		if len(value) != 66 {
			return wrongSize("public nonce", len(value))
		}
		in.MuSig2PubNonces = append(in.MuSig2PubNonces, MuSig2PubNonce{
			Participant: participant, Aggregate: aggregate, LeafHash: leaf, Nonce: [66]byte(value),
		})
		return nil
	}
	if len(value) != 32 {
		return wrongSize("partial signature", len(value))
	}
	in.MuSig2PartialSigs = append(in.MuSig2PartialSigs, MuSig2PartialSig{
		Participant: participant, Aggregate: aggregate, LeafHash: leaf, Signature: [32]byte(value),
	})
	return nil
}

// addTaproot adds the fields of BIP371.
func (in *Input) addTaproot(f *fields) {
	f.addSome(inTapKeySig, in.TapKeySig)
	for _, s := range in.TapScriptSigs {
		f.addKey(key(inTapScriptSig, s.PubKey[:], s.LeafHash[:]), s.Signature)
	}
	for _, l := range in.TapLeafScripts {
		value := append(make([]byte, 0, len(l.Script)+1), l.Script...)
		f.addKey(key(inTapLeafScript, l.ControlBlock), append(value, l.LeafVersion))
	}
	f.addTapDerivations(inTapDerivation, in.TapDerivations)
	if in.TapInternalKey != nil {
		f.add(inTapInternalKey, in.TapInternalKey[:])
	}
	if in.TapMerkleRoot != nil {
		f.add(inTapMerkleRoot, in.TapMerkleRoot[:])
	}
}

// addMuSig2 adds the fields of BIP373.
func (in *Input) addMuSig2(f *fields) {
	f.addMuSig2Participants(inMuSig2Participants, in.MuSig2Participants)
	for i := range in.MuSig2PubNonces {
		n := &in.MuSig2PubNonces[i]
		f.addKey(key(inMuSig2PubNonce, n.Participant[:], n.Aggregate[:], leafBytes(n.LeafHash)), n.Nonce[:])
	}
	for i := range in.MuSig2PartialSigs {
		s := &in.MuSig2PartialSigs[i]
		f.addKey(key(inMuSig2PartialSig, s.Participant[:], s.Aggregate[:], leafBytes(s.LeafHash)), s.Signature[:])
	}
}

func leafBytes(leaf *[32]byte) []byte {
	if leaf == nil {
		return nil
	}
	return leaf[:]
}
