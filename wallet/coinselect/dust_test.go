package coinselect

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
)

// The limits that Core documents and tests (policy/policy.cpp and
// test/transaction_tests.cpp), for each kind of output.
func TestDustLimit(t *testing.T) {
	program := func(version byte, n int) []byte {
		return append([]byte{version, byte(n)}, bytes.Repeat([]byte{7}, n)...)
	}
	p2pkh, _ := hex.DecodeString("76a914" + "0000000000000000000000000000000000000000" + "88ac")
	p2sh, _ := hex.DecodeString("a914" + "0000000000000000000000000000000000000000" + "87")
	for _, c := range []struct {
		name   string
		script []byte
		rate   FeeRate
		want   int64
	}{
		{"p2pkh", p2pkh, DustRelayFeeRate, 546},
		{"p2pkh at 1 sat/vB", p2pkh, 1000, 182},
		{"p2pkh rounded up", p2pkh, 1001, 183},
		{"default rate", p2pkh, 0, 546},
		{"p2sh", p2sh, DustRelayFeeRate, 540},
		{"p2wpkh", program(0, 20), DustRelayFeeRate, 294},
		{"p2wsh", program(0, 32), DustRelayFeeRate, 330},
		{"p2tr", program(0x51, 32), DustRelayFeeRate, 330},
		{"p2a", []byte{0x51, 2, 0x4e, 0x73}, DustRelayFeeRate, 240},
		{"longest program", program(0x60, 40), DustRelayFeeRate, 3 * (8 + 1 + 42 + 67)},
		{"program too long", program(0x60, 41), DustRelayFeeRate, 3 * (8 + 1 + 43 + 148)},
		{"program too short", []byte{0x51, 1, 1}, DustRelayFeeRate, 3 * (8 + 1 + 3 + 148)},
		{"wrong push", append(program(0x51, 32), 1), DustRelayFeeRate, 3 * (8 + 1 + 35 + 148)},
		{"not a version", program(0x50, 32), DustRelayFeeRate, 3 * (8 + 1 + 34 + 148)},
		{"empty", nil, DustRelayFeeRate, 3 * (8 + 1 + 148)},
		{"op_return", []byte{txscript.OP_RETURN, 1, 1}, DustRelayFeeRate, 0},
		{"too long to be spent", make([]byte, maxPkScript+1), DustRelayFeeRate, 0},
		{"longest", make([]byte, maxPkScript), DustRelayFeeRate, 3 * (8 + 3 + maxPkScript + 148)},
	} {
		if got := DustLimit(c.script, c.rate); got != c.want {
			t.Errorf("%s: %d sat, want %d", c.name, got, c.want)
		}
	}
}
