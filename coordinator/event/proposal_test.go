package event

import "testing"

// One carrier has one signature for each input and key.
func TestACarrierRepeatsNoSignature(t *testing.T) {
	x := PartialSignature{Input: 1, Key: 2, Bytes: []byte("signature 1")}
	y := x
	y.Key = 1
	if err := checkSignatures([]PartialSignature{x, y}); err != nil {
		t.Fatal(err)
	}
	y = x
	y.Bytes = []byte("signature 2")
	if err := checkSignatures([]PartialSignature{x, y}); err == nil {
		t.Error("two signatures for one input and key are taken")
	}
}
