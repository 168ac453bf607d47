package wallet

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// wsh is k of n keys under OP_CHECKMULTISIG in a witness script: P2WSH, or the
// same nested in P2SH; multi or sortedmulti.
type wsh struct{ nested, sorted bool }

var _ Form = wsh{}

// Kind returns ScriptWSH or ScriptSHWSH.
func (f wsh) Kind() ScriptType {
	if f.nested {
		return ScriptSHWSH
	}
	return ScriptWSH
}

// AccountStep returns BIP48's script type.
func (f wsh) AccountStep() uint32 {
	if f.nested {
		return 1
	}
	return 2
}

// SLIP132 returns the version of Zpub, Ypub, Vpub or Upub.
func (f wsh) SLIP132(mainnet bool) uint32 {
	switch {
	case mainnet && f.nested:
		return 0x0295b43f // Ypub
	case mainnet:
		return 0x02aa7ed3 // Zpub
	case f.nested:
		return 0x024289ef // Upub
	}
	return 0x02575483 // Vpub
}

// OutputType returns P2WSH or P2SH-P2WSH.
func (f wsh) OutputType() string {
	if f.nested {
		return "P2SH-P2WSH"
	}
	return "P2WSH"
}

// Multisig says that it is plain multisig.
func (f wsh) Multisig() (sorted, plain bool) { return f.sorted, true }

// Bounds are those of strict DER (BIP66) with a sighash byte.
func (f wsh) Bounds() SignatureBounds { return SignatureBounds{Least: 9, Most: 73, Keys: MaxKeys} }

// readWSH narrows an expression to wsh or sh(wsh) of multi or sortedmulti.
func readWSH(p *parser, e *expr) (Form, *expr, error) {
	var f wsh
	inner := e
	if inner.fn == "sh" {
		f.nested, inner = true, inner.sub
	}
	if inner.fn != "wsh" {
		return nil, nil, p.failAt(inner.off, fmt.Errorf("%w: want wsh() or sh(wsh())", ErrUnsupported))
	}
	multi := inner.sub
	if multi.fn != "sortedmulti" && multi.fn != "multi" {
		return nil, nil, p.failAt(multi.off, fmt.Errorf("%w: want sortedmulti() or multi()", ErrUnsupported))
	}
	f.sorted = multi.fn == "sortedmulti"
	return f, multi, nil
}

func (f wsh) expression(threshold int, keys []string) string {
	args := append([]string{strconv.Itoa(threshold)}, keys...)
	fn := "multi"
	if f.sorted {
		fn = "sortedmulti"
	}
	text := "wsh(" + fn + "(" + strings.Join(args, ",") + "))"
	if f.nested {
		text = "sh(" + text + ")"
	}
	return text
}

// inputWeight reckons with signatures of the greatest size there is: 72 bytes.
// (Low-S makes the DER 71 bytes at most, low-R one less, and the sighash byte
// adds one; not every signer grinds for low R.)
func (f wsh) inputWeight(threshold, keys int) int {
	const sigSize = 72
	// outpoint, sequence, length of scriptSig
	base := 36 + 4 + 1
	if f.nested {
		base += 35 // push of OP_0 <32 bytes>
	}
	script := multisigScriptSize(threshold, keys)
	scriptLen := 1
	if script > 252 {
		scriptLen = 3
	}
	// number of items, the dummy, the signatures, the script
	witness := 1 + 1 + threshold*(1+sigSize) + scriptLen + script
	return 4*base + witness
}

// lock makes the multisig script, in the order of keys or that of BIP67.
func (f wsh) lock(d *Descriptor, s *Script) {
	s.Order = make([]int, len(s.PubKeys))
	for i := range s.Order {
		s.Order[i] = i
	}
	if f.sorted { // BIP67
		slices.SortFunc(s.Order, func(a, b int) int { return bytes.Compare(s.PubKeys[a], s.PubKeys[b]) })
	}
	ordered := make([][]byte, len(s.PubKeys))
	for position, key := range s.Order {
		ordered[position] = s.PubKeys[key]
	}
	s.WitnessScript = multisigScript(d.threshold, ordered)
	s.PkScript = scriptWSH(s.WitnessScript)
	if f.nested {
		s.RedeemScript = s.PkScript
		s.PkScript = scriptSH(s.RedeemScript)
	}
}

// scriptSig is the push of the redeem script: with sh(wsh) it is always the
// same, so that the txid does not depend on signatures.
func (f wsh) scriptSig(s *Script) []byte {
	if s.RedeemScript == nil {
		return nil
	}
	return pushKey(nil, s.RedeemScript)
}
