package psbt

import (
	"encoding/binary"
	"fmt"
)

// decodeOutput reads an output map. In version 0 the output already holds what
// the unsigned transaction says of it.
func (out *Output) decodeOutput(r *reader, f *fields, version uint32) error {
	var got required
	for i := range f.records {
		rec := &f.records[i]
		if err := out.decodeField(r, rec, version, &got); err != nil {
			return fmt.Errorf("field %#02x: %w", rec.key[0], err)
		}
	}
	if version == 2 && (!got.first || !got.second) {
		return fmt.Errorf("amount or script: %w", ErrMissing)
	}
	return nil
}

func (out *Output) decodeField(r *reader, rec *record, version uint32, got *required) (err error) {
	data, value := rec.key[1:], rec.value
	switch typ := rec.key[0]; typ {
	case outRedeemScript:
		out.RedeemScript, err = decodeBytes(data, value)
	case outWitnessScript:
		out.WitnessScript, err = decodeBytes(data, value)
	case outDerivation:
		var d Derivation
		d, err = decodeDerivation(data, value)
		out.Derivations = append(out.Derivations, d)
	case outAmount, outScript:
		if version == 0 {
			return ErrForbidden
		}
		return out.decodeV2(typ, data, value, got)
	case outTapInternalKey:
		out.TapInternalKey, err = decode32(data, value)
	case outTapTree:
		if err = noKeyData(data); err == nil {
			out.TapTree, err = decodeTapTree(r.sub(value))
		}
	case outTapDerivation:
		var d TapDerivation
		d, err = decodeTapDerivation(r.sub(value), data)
		out.TapDerivations = append(out.TapDerivations, d)
	case outMuSig2Participants:
		var ps MuSig2Participants
		ps, err = decodeMuSig2Participants(data, value)
		out.MuSig2Participants = append(out.MuSig2Participants, ps)
	case typeProprietary:
		var x Proprietary
		x, err = decodeProprietary(r.sub(data), value)
		out.Proprietary = append(out.Proprietary, x)
	default:
		var x Unknown
		x, err = decodeUnknown(r.sub(rec.key), value)
		out.Unknown = append(out.Unknown, x)
	}
	return err
}

func (out *Output) decodeV2(typ byte, data, value []byte, got *required) error {
	if err := noKeyData(data); err != nil {
		return err
	}
	if typ == outScript {
		out.Script = value
		got.second = true
		return nil
	}
	if len(value) != 8 {
		return wrongSize("amount", len(value))
	}
	out.Amount = int64(binary.LittleEndian.Uint64(value))
	got.first = true
	return nil
}

// decodeTapTree reads the leaves of a tree: depth, version and script of each.
func decodeTapTree(r *reader) ([]TapLeaf, error) {
	leaves := []TapLeaf{}
	for !r.empty() {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		head, err := r.take(2)
		if err != nil {
			return nil, err
		}
		script, err := r.bytes()
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, TapLeaf{Depth: head[0], LeafVersion: head[1], Script: script})
	}
	return leaves, nil
}

// fields returns the output's map.
func (out *Output) fields(version uint32) *fields {
	f := &fields{kind: outputMap}
	f.addSome(outRedeemScript, out.RedeemScript)
	f.addSome(outWitnessScript, out.WitnessScript)
	f.addDerivations(outDerivation, out.Derivations)
	if version == 2 {
		f.add(outAmount, binary.LittleEndian.AppendUint64(nil, uint64(out.Amount)))
		f.add(outScript, out.Script)
	}
	if out.TapInternalKey != nil {
		f.add(outTapInternalKey, out.TapInternalKey[:])
	}
	if out.TapTree != nil {
		var value []byte
		for _, l := range out.TapTree {
			value = appendBytes(append(value, l.Depth, l.LeafVersion), l.Script)
		}
		f.add(outTapTree, value)
	}
	f.addTapDerivations(outTapDerivation, out.TapDerivations)
	f.addMuSig2Participants(outMuSig2Participants, out.MuSig2Participants)
	f.addProprietary(out.Proprietary)
	f.addUnknown(out.Unknown)
	return f
}
