package wallet

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// expr is a script expression (BIP381 to 383, and raw of BIP385). It is more
// general than the wallet's own descriptors; ParseDescriptor narrows it.
type expr struct {
	fn   string
	off  int
	k    int // threshold of multi and sortedmulti
	kOff int
	keys []*keyExpr
	sub  *expr
	raw  []byte
}

// scriptContext is where an expression stands.
type scriptContext string

const (
	contextTop scriptContext = "the top level"
	contextSH  scriptContext = "sh()"
	contextWSH scriptContext = "wsh()"
)

const (
	// MaxKeys is the most keys OP_CHECKMULTISIG takes.
	MaxKeys = 20
	// maxKeysBare is the most keys of a standard bare multisig output.
	maxKeysBare = 3
	// maxKeysSH is what a 520-byte P2SH script holds: 15 compressed keys of 34
	// bytes, and 3 for the two numbers and the opcode, are 513.
	maxKeysSH = 15
)

var (
	// ErrUnsupported is returned for a well-formed descriptor that is none of
	// the forms a wallet can have.
	ErrUnsupported = errors.New("unsupported descriptor")
	// ErrThreshold is returned for a threshold below 1 or above the number of keys.
	ErrThreshold = errors.New("threshold out of range")
	// ErrKeyCount is returned for no key or more than MaxKeys.
	ErrKeyCount = errors.New("number of keys out of range")
	// ErrDuplicateKey is returned where one key stands twice (BIP388).
	ErrDuplicateKey = errors.New("duplicate key")
)

// parseExpr checks the checksum, if there is one, and parses a descriptor.
func parseExpr(s string) (*expr, *parser, error) {
	if len(s) > maxDescriptorLen {
		return nil, nil, &SyntaxError{"descriptor", maxDescriptorLen, errors.New("too long")}
	}
	body, err := splitChecksum(s)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{what: "descriptor", s: body}
	e, err := p.expr(contextTop)
	if err != nil {
		return nil, nil, err
	}
	if p.pos != len(p.s) {
		return nil, nil, p.failAt(p.pos, errors.New("text after the descriptor"))
	}
	return e, p, nil
}

// expr parses one script expression.
func (p *parser) expr(in scriptContext) (*expr, error) {
	e := &expr{off: p.pos}
	e.fn = p.until("(),/[]{}<>")
	if p.peek() != '(' || e.fn == "" {
		return nil, p.failAt(e.off, fmt.Errorf("want a script expression in %s", in))
	}
	p.pos++
	var err error
	switch {
	case e.fn == "pk" || e.fn == "pkh":
		err = p.oneKey(e, in == contextWSH)
	case e.fn == "wpkh" && in != contextWSH:
		err = p.oneKey(e, true)
	case e.fn == "multi" || e.fn == "sortedmulti":
		err = p.multi(e, in)
	case e.fn == "sh" && in == contextTop:
		e.sub, err = p.expr(contextSH)
	case e.fn == "wsh" && in != contextWSH:
		e.sub, err = p.expr(contextWSH)
	case e.fn == "raw" && in == contextTop:
		start := p.pos
		if e.raw, err = parseHex(p.until(")")); err != nil {
			err = p.failAt(start, errors.New("script is not hex"))
		}
	case slices.Contains([]string{"sh", "wsh", "wpkh", "raw"}, e.fn):
		err = p.failAt(e.off, fmt.Errorf("%s() cannot stand in %s", e.fn, in))
	case slices.Contains([]string{"tr", "rawtr", "addr", "combo", "multi_a", "sortedmulti_a", "musig"}, e.fn):
		err = p.failAt(e.off, fmt.Errorf("%w: %s()", ErrUnsupported, e.fn))
	default:
		err = p.failAt(e.off, errors.New("unknown script expression"))
	}
	if err != nil {
		return nil, err
	}
	if err := p.expect(')'); err != nil {
		return nil, err
	}
	if in == contextTop {
		return e, p.checkMultipath(e)
	}
	return e, nil
}

// oneKey parses the single key of pk, pkh and wpkh.
func (p *parser) oneKey(e *expr, compressedOnly bool) error {
	key, err := p.keyExpr()
	if err != nil {
		return err
	}
	e.keys = []*keyExpr{key}
	return p.checkCompressed(key, compressedOnly)
}

func (p *parser) checkCompressed(key *keyExpr, compressedOnly bool) error {
	if compressedOnly && key.uncompressed() {
		return p.failAt(key.keyOff, errors.New("uncompressed key in a witness script"))
	}
	return nil
}

// multi parses the threshold and keys of multi and sortedmulti (BIP383).
func (p *parser) multi(e *expr, in scriptContext) error {
	e.kOff = p.pos
	k, err := strconv.ParseUint(p.until(",()"), 10, 8)
	if err != nil {
		return p.failAt(e.kOff, fmt.Errorf("%w: not a number from 1 to %d", ErrThreshold, MaxKeys))
	}
	e.k = int(k)
	most := map[scriptContext]int{contextTop: maxKeysBare, contextSH: maxKeysSH, contextWSH: MaxKeys}[in]
	for p.accept(',') {
		if len(e.keys) == most {
			return p.failAt(p.pos, fmt.Errorf("%w: at most %d in %s", ErrKeyCount, most, in))
		}
		key, err := p.keyExpr()
		if err != nil {
			return err
		}
		if err := p.checkCompressed(key, in == contextWSH); err != nil {
			return err
		}
		e.keys = append(e.keys, key)
	}
	if len(e.keys) == 0 {
		return p.failAt(p.pos, fmt.Errorf("%w: none", ErrKeyCount))
	}
	if e.k < 1 || e.k > len(e.keys) {
		return p.failAt(e.kOff, fmt.Errorf("%w: %d of %d keys", ErrThreshold, e.k, len(e.keys)))
	}
	return nil
}

// checkMultipath refuses specifiers of different lengths in one descriptor (BIP389).
func (p *parser) checkMultipath(e *expr) error {
	n := 1
	for _, key := range e.allKeys() {
		switch m := key.multipath(); {
		case m == 1:
		case n == 1:
			n = m
		case m != n:
			return p.failAt(key.off, fmt.Errorf("multipath specifier of %d paths, another has %d", m, n))
		}
	}
	return nil
}

// allKeys returns the keys of the innermost expression.
func (e *expr) allKeys() []*keyExpr {
	for e.sub != nil {
		e = e.sub
	}
	return e.keys
}
