package psbt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// Combine joins packets for one transaction into one that holds every field of
// all (BIP174, BIP370). The result is the same in any order and with repeats,
// and shares no memory with ps.
//
// Where packets have different values under one key, the rule depends on the
// key. Signatures, final scripts, the witnesses inside a spent transaction,
// proof of reserves commitments, proprietary and unknown fields can differ in
// honest packets: the value that sorts first is taken. A signature is not
// verified here, so packets from strangers are to be verified before they are
// combined, not after. Modifiable flags are joined as BIP370 and Bitcoin Core
// do. An explicit sequence number wins over none, unless a packet is signed for
// another. Any other difference is a [ConflictError].
//
// It fails with [ErrNothing] without packets, [ErrVersion] for packets of
// different versions, and [ErrDifferentTx].
func Combine(ps ...*Packet) (*Packet, error) {
	p, err := combine(ps)
	if err != nil {
		return nil, fmt.Errorf("combine psbts: %w", err)
	}
	return p, nil
}

func combine(ps []*Packet) (*Packet, error) {
	if len(ps) == 0 || slices.Contains(ps, nil) {
		return nil, ErrNothing
	}
	id, err := sameTransaction(ps)
	if err != nil {
		return nil, err
	}
	sets := make([][]*fields, len(ps))
	for i, p := range ps {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("packet %d: %w", i, err)
		}
		if sets[i], err = p.maps(); err != nil {
			return nil, fmt.Errorf("packet %d: %w", i, err)
		}
	}
	b := []byte(magic)
	for i := range sets[0] {
		merged, err := merge(sets, i, len(ps[0].Inputs))
		if err != nil {
			return nil, err
		}
		if b, err = merged.append(b); err != nil {
			return nil, err
		}
	}
	p, err := parse(b)
	if err != nil {
		return nil, err
	}
	return p, p.checkCombined(id, ps)
}

// sameTransaction returns the id that all packets share, with the same version.
func sameTransaction(ps []*Packet) (chainhash.Hash, error) {
	id, err := ps[0].UniqueID()
	if err != nil {
		return id, err
	}
	for i, p := range ps[1:] {
		if p.Version != ps[0].Version {
			return id, fmt.Errorf("packet %d: %w: %d, others have %d", i+1, ErrVersion, p.Version, ps[0].Version)
		}
		other, err := p.UniqueID()
		if err != nil {
			return id, fmt.Errorf("packet %d: %w", i+1, err)
		}
		if other != id {
			return id, fmt.Errorf("packet %d: %w", i+1, ErrDifferentTx)
		}
	}
	return id, nil
}

// merge joins map i of all packets.
func merge(sets [][]*fields, i, inputs int) (*fields, error) {
	merged := &fields{kind: sets[0][i].kind}
	at := make(map[string]int)
	for _, set := range sets {
		// Duplicates within one packet are not a conflict between packets.
		if err := set[i].check(); err != nil {
			return nil, err
		}
		for _, rec := range set[i].records {
			j, seen := at[string(rec.key)]
			if !seen {
				at[string(rec.key)] = len(merged.records)
				merged.records = append(merged.records, rec)
				continue
			}
			if !merged.kind.mergeValue(&merged.records[j], rec.value) {
				return nil, conflict(merged.kind, i, inputs, rec.key)
			}
		}
	}
	if merged.kind == globalMap {
		merged.mergeModifiable(sets)
	}
	return merged, nil
}

// mergeValue takes another value of a field in, or tells that the two cannot
// both be right.
func (k mapKind) mergeValue(rec *record, value []byte) bool {
	if bytes.Equal(rec.value, value) {
		return true
	}
	if !k.mayDiffer(rec.key[0]) {
		return false
	}
	if bytes.Compare(value, rec.value) < 0 {
		rec.value = value
	}
	return true
}

// mayDiffer tells whether honest packets can have different values of a field.
// Flags are joined apart.
func (k mapKind) mayDiffer(typ byte) bool {
	switch {
	case typ == typeProprietary || k.rank(typ) == k.rank(0xff):
		return true
	case k == globalMap:
		return typ == globalTxModifiable
	case k == inputMap:
		switch typ {
		case inNonWitnessUTXO, inPartialSig, inFinalScriptSig, inFinalWitness, inTapKeySig, inTapScriptSig:
			return true
		}
	}
	return false
}

// mergeModifiable sets the flags of the combined packet where any packet has
// them.
func (f *fields) mergeModifiable(sets [][]*fields) {
	for i := range f.records {
		if f.records[i].key[0] != globalTxModifiable {
			continue
		}
		joined := modifiableOf(sets[0][0])
		for _, set := range sets[1:] {
			joined = combineModifiable(joined, modifiableOf(set[0]))
		}
		f.records[i].value = []byte{joined}
	}
}

func modifiableOf(global *fields) uint8 {
	for _, rec := range global.records {
		if rec.key[0] == globalTxModifiable {
			return rec.value[0]
		}
	}
	return 0
}

// conflict names the map that is number i of a packet.
func conflict(kind mapKind, i, inputs int, key []byte) error {
	index := 0
	switch kind {
	case inputMap:
		index = i - 1
	case outputMap:
		index = i - 1 - inputs
	}
	return &ConflictError{Where: kind.String(), Index: index, Key: key}
}

// checkCombined makes sure that joining fields did not change the transaction,
// nor what a signature in one of the packets commits to.
func (p *Packet) checkCombined(id chainhash.Hash, ps []*Packet) error {
	combined, err := p.UniqueID()
	if err != nil {
		return err
	}
	if combined != id {
		return fmt.Errorf("lock time of the combined packet: %w", ErrConflict)
	}
	for _, q := range ps {
		signed := false
		for i := range q.Inputs {
			signed = signed || q.Inputs[i].signed()
		}
		for i := range q.Inputs {
			if signed && q.Inputs[i].sequence() != p.Inputs[i].sequence() {
				return conflict(inputMap, i+1, 0, []byte{inSequence})
			}
		}
	}
	return nil
}
