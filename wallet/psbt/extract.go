package psbt

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// Extract returns the transaction with the final scripts of every input and
// leaves the packet as it is (BIP174, BIP370). It fails with [ErrNotFinal] where
// an input has none. It does not run the scripts: the caller must, with the
// script engine, before anything is sent.
func (p *Packet) Extract() (*wire.MsgTx, error) {
	tx, err := p.UnsignedTx()
	if err != nil {
		return nil, fmt.Errorf("extract transaction: %w", err)
	}
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if len(in.FinalScriptSig) == 0 && len(in.FinalWitness) == 0 {
			return nil, fmt.Errorf("extract transaction: input %d: %w", i, ErrNotFinal)
		}
		tx.TxIn[i].SignatureScript = bytes.Clone(in.FinalScriptSig)
		for _, item := range in.FinalWitness {
			tx.TxIn[i].Witness = append(tx.TxIn[i].Witness, append([]byte{}, item...))
		}
	}
	return tx, nil
}

// Spent returns the output that the input spends, from the whole transaction
// where it is there, or nil. It shares memory with the input.
func (in *Input) Spent() *wire.TxOut {
	if tx := in.NonWitnessUTXO; tx != nil && uint64(in.OutputIndex) < uint64(len(tx.TxOut)) {
		return tx.TxOut[in.OutputIndex]
	}
	return in.WitnessUTXO
}

// CheckInput does the checks of BIP174 that a signer owes before it signs input
// i: a redeem script and a witness script give the hashes they must, and an
// output that is not a witness program comes with its whole transaction. It
// fails with [ErrMissing], [ErrUTXO] or [ErrScript].
func (p *Packet) CheckInput(i int) error {
	if i < 0 || i >= len(p.Inputs) {
		return fmt.Errorf("check input %d: %w", i, ErrMissing)
	}
	in := &p.Inputs[i]
	if err := in.validateSpent(); err != nil {
		return fmt.Errorf("check input %d: %w", i, err)
	}
	if err := in.checkScripts(); err != nil {
		return fmt.Errorf("check input %d: %w", i, err)
	}
	return nil
}

func (in *Input) checkScripts() error {
	spent := in.Spent()
	if spent == nil {
		return fmt.Errorf("spent output: %w", ErrMissing)
	}
	script := spent.PkScript
	isP2SH := len(script) == 23 && script[0] == 0xa9 && script[1] == 20 && script[22] == 0x87
	if in.RedeemScript != nil {
		if !isP2SH || !bytes.Equal(script[2:22], hash160(in.RedeemScript)) {
			return fmt.Errorf("redeem script: %w", ErrScript)
		}
		script = in.RedeemScript
	}
	if in.WitnessScript != nil {
		sum := sha256.Sum256(in.WitnessScript)
		if len(script) != 34 || script[0] != 0 || script[1] != 32 || !bytes.Equal(script[2:], sum[:]) {
			return fmt.Errorf("witness script: %w", ErrScript)
		}
	}
	if in.NonWitnessUTXO == nil && !isWitnessProgram(script) {
		return fmt.Errorf("output that is no witness program without its transaction: %w", ErrUTXO)
	}
	return nil
}

// isWitnessProgram tells whether a script is a version and a push of 2 to 40
// bytes (BIP141).
func isWitnessProgram(script []byte) bool {
	if len(script) < 4 || len(script) > 42 || int(script[1]) != len(script)-2 {
		return false
	}
	return script[0] == 0 || script[0] >= 0x51 && script[0] <= 0x60
}
