package psbt

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 BIP174 has preimages of it
)

func (in *Input) validate(version uint32) error {
	if err := in.validateLocks(version); err != nil {
		return err
	}
	if err := in.validateSpent(); err != nil {
		return err
	}
	for i := range in.PartialSigs {
		if err := validatePubKey(in.PartialSigs[i].PubKey); err != nil {
			return fmt.Errorf("partial signature: %w", err)
		}
		if err := validateECDSA(in.PartialSigs[i].Signature); err != nil {
			return fmt.Errorf("partial signature: %w", err)
		}
	}
	if err := validateDerivations(in.Derivations); err != nil {
		return err
	}
	if err := checkCount("witness items", len(in.FinalWitness), MaxWitnessItems); err != nil {
		return err
	}
	if err := in.validatePreimages(); err != nil {
		return err
	}
	if err := in.validateTaproot(); err != nil {
		return err
	}
	if err := in.validateMuSig2(); err != nil {
		return err
	}
	return validateUnknown(inputMap, in.Unknown)
}

func (in *Input) validateLocks(version uint32) error {
	if version == 0 && (in.RequiredTime != nil || in.RequiredHeight != nil) {
		return fmt.Errorf("required lock time: %w", ErrForbidden)
	}
	if in.RequiredTime != nil && *in.RequiredTime < lockTimeThreshold {
		return fmt.Errorf("%w: required time lock below %d", ErrMalformed, lockTimeThreshold)
	}
	if in.RequiredHeight != nil && (*in.RequiredHeight == 0 || *in.RequiredHeight >= lockTimeThreshold) {
		return fmt.Errorf("%w: required height lock 0 or not below %d", ErrMalformed, lockTimeThreshold)
	}
	return nil
}

// validateSpent checks the spent transaction against the outpoint, and the spent
// output against it where both are there.
func (in *Input) validateSpent() error {
	w, tx := in.WitnessUTXO, in.NonWitnessUTXO
	if w != nil {
		if err := validateAmount(w.Value); err != nil {
			return fmt.Errorf("witness utxo: %w", err)
		}
	}
	if tx == nil {
		return nil
	}
	if len(tx.TxIn) == 0 {
		return fmt.Errorf("%w: spent transaction without inputs", ErrMalformed)
	}
	if chainhash.Hash(tx.TxHash()) != in.PrevTxID {
		return fmt.Errorf("%w: spent transaction has another txid", ErrUTXO)
	}
	if uint64(in.OutputIndex) >= uint64(len(tx.TxOut)) {
		return fmt.Errorf("%w: spent transaction has no output %d", ErrUTXO, in.OutputIndex)
	}
	out := tx.TxOut[in.OutputIndex]
	if w != nil && (w.Value != out.Value || !bytes.Equal(w.PkScript, out.PkScript)) {
		return fmt.Errorf("%w: witness utxo is not the spent transaction's output", ErrUTXO)
	}
	return nil
}

func (in *Input) validatePreimages() error {
	for _, typ := range []byte{inRIPEMD160, inSHA256, inHash160, inHash256} {
		for _, pre := range *in.preimages(typ) {
			if !bytes.Equal(pre.Hash, hashOf(typ, pre.Preimage)) {
				return fmt.Errorf("%w: preimage does not give its hash", ErrMalformed)
			}
		}
	}
	return nil
}

// hashOf hashes a preimage as its field type says.
func hashOf(typ byte, preimage []byte) []byte {
	switch typ {
	case inRIPEMD160:
		h := ripemd160.New()
		h.Write(preimage)
		return h.Sum(nil)
	case inSHA256:
		sum := sha256.Sum256(preimage)
		return sum[:]
	case inHash160:
		return hash160(preimage)
	}
	return chainhash.DoubleHashB(preimage)
}
