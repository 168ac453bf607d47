package wallet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// script expands an expression to its script: on one of the multipath's paths,
// at an index where there is a wildcard.
func (e *expr) script(path int, index uint32) ([]byte, error) {
	if e.fn == "raw" {
		return e.raw, nil
	}
	if e.sub != nil {
		inner, err := e.sub.script(path, index)
		if err != nil {
			return nil, err
		}
		if e.fn == "wsh" {
			return scriptWSH(inner), nil
		}
		return scriptSH(inner), nil
	}
	pubs := make([][]byte, len(e.keys))
	for i, key := range e.keys {
		pub, err := key.derive(path, index)
		if err != nil {
			return nil, err
		}
		pubs[i] = pub
	}
	switch e.fn {
	case "pk":
		return append(pushKey(nil, pubs[0]), txscript.OP_CHECKSIG), nil
	case "pkh":
		s := []byte{txscript.OP_DUP, txscript.OP_HASH160, 20}
		s = append(s, address.Hash160(pubs[0])...)
		return append(s, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG), nil
	case "wpkh":
		return append([]byte{txscript.OP_0, 20}, address.Hash160(pubs[0])...), nil
	case "sortedmulti":
		slices.SortFunc(pubs, bytes.Compare) // BIP67
	}
	return multisigScript(e.k, pubs), nil
}

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
