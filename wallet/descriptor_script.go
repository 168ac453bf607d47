package wallet

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// multisigScript returns k <keys> n OP_CHECKMULTISIG with the keys as given.
func multisigScript(k int, pubs [][]byte) []byte {
	s := make([]byte, 0, multisigScriptSize(k, len(pubs)))
	s = pushNumber(s, k)
	for _, pub := range pubs {
		s = pushKey(s, pub)
	}
	s = pushNumber(s, len(pubs))
	return append(s, txscript.OP_CHECKMULTISIG)
}

// multisigScriptSize returns the size in bytes of a multisig script of
// compressed keys: 34 a key, the opcode, and the two numbers.
func multisigScriptSize(k, n int) int {
	number := func(v int) int {
		if v > 16 {
			return 2
		}
		return 1
	}
	return number(k) + 34*n + number(n) + 1
}

// pushNumber appends a number from 1 to 127 the minimal way.
func pushNumber(s []byte, n int) []byte {
	if n <= 16 {
		return append(s, txscript.OP_1-1+byte(n))
	}
	return append(s, 1, byte(n))
}

// pushKey appends a key of 33 or 65 bytes; a length below 76 is its own opcode.
func pushKey(s, pub []byte) []byte {
	return append(append(s, byte(len(pub))), pub...)
}

// scriptWSH returns the output script of a witness script (BIP141).
func scriptWSH(witnessScript []byte) []byte {
	hash := sha256.Sum256(witnessScript)
	return append([]byte{txscript.OP_0, 32}, hash[:]...)
}

// scriptSH returns the output script of a redeem script (BIP16).
func scriptSH(redeemScript []byte) []byte {
	s := append([]byte{txscript.OP_HASH160, 20}, address.Hash160(redeemScript)...)
	return append(s, txscript.OP_EQUAL)
}

func parseHex(s string) ([]byte, error) { return hex.DecodeString(s) }
