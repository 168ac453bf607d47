package wallet

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// What follows expands and writes any expression that the parser takes, to hold
// the parser and the forms against the vectors of BIP380 to 389. The wallet's own
// descriptors are expanded by their form.

// multipath returns how many descriptors the expression stands for (BIP389).
func (e *expr) multipath() int {
	n := 1
	for _, key := range e.allKeys() {
		n = max(n, key.multipath())
	}
	return n
}

// on returns the descriptor for one of the multipath's paths.
func (e *expr) on(path int) *expr {
	out := *e
	if e.sub != nil {
		out.sub = e.sub.on(path)
	}
	out.keys = make([]*keyExpr, len(e.keys))
	for i, key := range e.keys {
		out.keys[i] = key.on(path)
	}
	return &out
}

// String returns the expression in canonical form, without a checksum.
func (e *expr) String() string {
	var args []string
	switch {
	case e.sub != nil:
		args = []string{e.sub.String()}
	case e.fn == "raw":
		args = []string{fmt.Sprintf("%x", e.raw)}
	case e.k > 0:
		args = []string{strconv.Itoa(e.k)}
	}
	for _, key := range e.keys {
		args = append(args, key.String())
	}
	return e.fn + "(" + strings.Join(args, ",") + ")"
}

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

// derive returns the serialized public key on one of the multipath's paths, at
// an index where there is a wildcard.
func (e *keyExpr) derive(path int, index uint32) ([]byte, error) {
	if e.ext == nil {
		return e.pub, nil
	}
	var steps []uint32
	for _, step := range e.steps {
		if len(step) > 1 {
			steps = append(steps, step[path])
		} else {
			steps = append(steps, step[0])
		}
	}
	if e.wildcard != wildcardNone {
		if index >= hardened {
			return nil, fmt.Errorf("%w: index %d", errDerive, index)
		}
		if e.wildcard == wildcardHardened {
			index += hardened
		}
		steps = append(steps, index)
	}
	key := e.ext
	for _, step := range steps {
		child, err := key.Derive(step)
		if err != nil {
			return nil, fmt.Errorf("derive key: %w", err)
		}
		key = child
	}
	pub, err := key.ECPubKey()
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return pub.SerializeCompressed(), nil
}

// on returns the expression with its multipath specifier replaced by one path.
func (e *keyExpr) on(path int) *keyExpr {
	out := *e
	out.steps = make([][]uint32, len(e.steps))
	for i, step := range e.steps {
		if len(step) > 1 {
			step = step[path : path+1]
		}
		out.steps[i] = step
	}
	return &out
}

// String returns the expression in its canonical form, with h as the hardened mark.
func (e *keyExpr) String() string {
	var b strings.Builder
	if e.hasOrigin {
		b.WriteString(formatOrigin(e.fp, e.path))
	}
	b.WriteString(e.text)
	for _, step := range e.steps {
		b.WriteByte('/')
		if len(step) == 1 {
			b.WriteString(formatStep(step[0]))
			continue
		}
		for i, v := range step {
			b.WriteByte("<;"[min(i, 1)])
			b.WriteString(formatStep(v))
		}
		b.WriteByte('>')
	}
	switch e.wildcard {
	case wildcardNormal:
		b.WriteString("/*")
	case wildcardHardened:
		b.WriteString("/*h")
	}
	return b.String()
}
