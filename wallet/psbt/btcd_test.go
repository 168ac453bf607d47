package psbt

import (
	"bytes"
	"slices"
	"testing"

	btcd "github.com/btcsuite/btcd/psbt/v2"
)

// A second opinion on version 0: btcd's package reads what we write, sees the
// same, and we read what it writes.
func TestBtcdReadsOurs(t *testing.T) {
	read := 0
	for i, raw := range packetsOf(t, 0) {
		p := mustParse(t, raw)
		// btcd cuts types of several bytes down to one when it writes.
		p.Unknown = slices.DeleteFunc(p.Unknown, func(u Unknown) bool { return u.Key[0] >= 0xfd })
		theirs, err := btcd.NewFromRawBytes(bytes.NewReader(mustBytes(t, p)), false)
		if err != nil {
			t.Logf("%d: btcd does not read it: %v", i, err)
			continue
		}
		read++
		tx, err := p.UnsignedTx()
		if err != nil || tx.TxHash() != theirs.UnsignedTx.TxHash() {
			t.Fatalf("%d: another transaction: %v", i, err)
		}
		for j := range p.Inputs {
			a, b := &p.Inputs[j], &theirs.Inputs[j]
			if len(a.PartialSigs) != len(b.PartialSigs) || len(a.Derivations) != len(b.Bip32Derivation) ||
				len(a.TapDerivations) != len(b.TaprootBip32Derivation) || len(a.TapScriptSigs) != len(b.TaprootScriptSpendSig) ||
				!bytes.Equal(a.WitnessScript, b.WitnessScript) || !bytes.Equal(a.RedeemScript, b.RedeemScript) ||
				(a.WitnessUTXO == nil) != (b.WitnessUtxo == nil) || (a.NonWitnessUTXO == nil) != (b.NonWitnessUtxo == nil) {
				t.Fatalf("%d: input %d differs", i, j)
			}
		}
		var out bytes.Buffer
		if err := theirs.Serialize(&out); err != nil {
			t.Fatal(err)
		}
		back, err := Parse(out.Bytes())
		if err != nil {
			t.Errorf("%d: what btcd wrote: %v", i, err)
			continue
		}
		if again, err := back.UnsignedTx(); err != nil || again.TxHash() != tx.TxHash() {
			t.Errorf("%d: btcd wrote another transaction: %v", i, err)
		}
	}
	t.Logf("btcd reads %d packets", read)
	if read < 40 {
		t.Fatalf("btcd reads only %d packets", read)
	}
}
