package wallet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	// maxDescriptorLen bounds the text of a descriptor in bytes: 20 keys of
	// 10 (fingerprint), 112 (xpub), 8 (/<0;1>/*) and a path of 12 bytes a step
	// come to 20 * (130 + 12 * 100) = 26,600 with paths of 100 steps.
	maxDescriptorLen = 32 << 10
	// maxPathLen is the deepest key BIP32 can express.
	maxPathLen = 255
	// maxAccountPath leaves room for the branch and the index below an account.
	maxAccountPath = maxPathLen - 2
	// maxMultipath bounds the paths of one multipath specifier.
	maxMultipath = 64
)

var errPathTooLong = errors.New("path is too long")

// parser reads key and descriptor expressions from left to right.
type parser struct {
	what string
	s    string
	pos  int
	// lenient takes what people paste and no descriptor may hold: H as the
	// hardened mark, and keys in the forms of SLIP-132.
	lenient bool
}

func (p *parser) failAt(off int, err error) error {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		return err
	}
	return &SyntaxError{p.what, off, err}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.s) {
		return p.s[p.pos]
	}
	return 0
}

// accept consumes c if it is next.
func (p *parser) accept(c byte) bool {
	if p.pos < len(p.s) && p.s[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// expect consumes c or fails.
func (p *parser) expect(c byte) error {
	if p.accept(c) {
		return nil
	}
	if p.pos == len(p.s) {
		return p.failAt(p.pos, fmt.Errorf("ends where %q is wanted", c))
	}
	return p.failAt(p.pos, fmt.Errorf("want %q", c))
}

// until consumes and returns everything before the first of the stop bytes.
func (p *parser) until(stops string) string {
	start := p.pos
	if i := strings.IndexAny(p.s[p.pos:], stops); i >= 0 {
		p.pos += i
	} else {
		p.pos = len(p.s)
	}
	return p.s[start:p.pos]
}

// keyExpr parses a key expression (BIP380 and BIP389).
func (p *parser) keyExpr() (*keyExpr, error) {
	e := &keyExpr{off: p.pos}
	if p.peek() == '[' {
		if err := p.origin(e); err != nil {
			return nil, err
		}
	}
	e.keyOff = p.pos
	e.text = p.until("/,()[]{}<>")
	if e.text == "" {
		return nil, p.failAt(e.keyOff, errors.New("key is missing"))
	}
	if p.lenient {
		xpub, st, err := FromSLIP132(e.text)
		if err != nil {
			return nil, p.failAt(e.keyOff, err)
		}
		e.text, e.slip132 = xpub, st
	}
	if err := e.parseKeyText(); err != nil {
		return nil, p.failAt(e.keyOff, err)
	}
	e.stepsOff = p.pos
	for p.peek() == '/' {
		if e.ext == nil {
			return nil, p.failAt(p.pos, errors.New("derivation after a key that is not extended"))
		}
		p.pos++
		if p.accept('*') {
			e.wildcard = wildcardNormal
			if p.hardenedMark() {
				e.wildcard = wildcardHardened
			}
			break
		}
		if len(e.steps) == maxPathLen {
			return nil, p.failAt(p.pos, errPathTooLong)
		}
		step, err := p.step(e)
		if err != nil {
			return nil, err
		}
		e.steps = append(e.steps, step)
	}
	if c := p.peek(); p.pos < len(p.s) && c != ',' && c != ')' {
		return nil, p.failAt(p.pos, errors.New("unexpected character after the key"))
	}
	return e, nil
}

// origin parses "[fingerprint/path]".
func (p *parser) origin(e *keyExpr) error {
	p.pos++
	start := p.pos
	fp := p.until("/]")
	raw, err := hex.DecodeString(fp)
	if err != nil || len(raw) != 4 {
		return p.failAt(start, errors.New("fingerprint is not 8 hex digits"))
	}
	e.hasOrigin, e.fp = true, [4]byte(raw)
	for p.accept('/') {
		if len(e.path) == maxPathLen {
			return p.failAt(p.pos, errPathTooLong)
		}
		step, err := p.number()
		if err != nil {
			return err
		}
		e.path = append(e.path, step)
	}
	return p.expect(']')
}

// step parses one element of a path: a number or a multipath specifier.
func (p *parser) step(e *keyExpr) ([]uint32, error) {
	start := p.pos
	if !p.accept('<') {
		n, err := p.number()
		return []uint32{n}, err
	}
	if e.multipath() > 1 {
		return nil, p.failAt(start, errors.New("second multipath specifier in one key"))
	}
	var step []uint32
	seen := make(map[uint32]bool)
	for {
		at := p.pos
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		if seen[n] {
			return nil, p.failAt(at, errors.New("multipath specifier names a path twice"))
		}
		if len(step) == maxMultipath {
			return nil, p.failAt(at, errors.New("multipath specifier names too many paths"))
		}
		seen[n] = true
		step = append(step, n)
		if p.accept('>') {
			break
		}
		if err := p.expect(';'); err != nil {
			return nil, err
		}
	}
	if len(step) < 2 {
		return nil, p.failAt(start, errors.New("multipath specifier names one path only"))
	}
	return step, nil
}

// number parses a child index with an optional hardened mark.
func (p *parser) number() (uint32, error) {
	start := p.pos
	var n uint64
	for p.pos < len(p.s) && p.s[p.pos] >= '0' && p.s[p.pos] <= '9' {
		n = n*10 + uint64(p.s[p.pos]-'0')
		if n >= uint64(hardened) {
			return 0, p.failAt(start, fmt.Errorf("derivation index above %d", hardened-1))
		}
		p.pos++
	}
	if p.pos == start {
		return 0, p.failAt(start, errors.New("want a derivation index"))
	}
	if p.hardenedMark() {
		return uint32(n) + hardened, nil
	}
	return uint32(n), nil
}

// hardenedMark consumes h or ', in what people paste also H, which BIP380
// refuses in descriptors.
func (p *parser) hardenedMark() bool {
	return p.accept('h') || p.accept('\'') || p.lenient && p.accept('H')
}
