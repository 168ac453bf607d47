package wallet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
)

// wildcard is the last element of a key expression's path.
type wildcard uint8

const (
	wildcardNone     wildcard = iota
	wildcardNormal            // /*
	wildcardHardened          // /*h
)

// keyExpr is a key expression (BIP380, with the multipath of BIP389).
type keyExpr struct {
	off       int // of the whole expression
	hasOrigin bool
	fp        [4]byte
	path      []uint32

	keyOff  int    // of the key itself
	text    string // of the key itself: hex, WIF, or extended key
	private bool
	slip132 ScriptType // what the version that text had stands for, if any

	// pub is set for single keys, ext for extended ones.
	pub     []byte
	ext     *hdkeychain.ExtendedKey
	mainnet bool

	stepsOff int // of what follows the key
	// steps is the path after an extended key; a step with several values is
	// the multipath specifier, of which there is at most one.
	steps    [][]uint32
	wildcard wildcard
}

// multipath returns how many paths the expression stands for, 1 without a specifier.
func (e *keyExpr) multipath() int {
	for _, step := range e.steps {
		if len(step) > 1 {
			return len(step)
		}
	}
	return 1
}

// uncompressed says that the key's public key is 65 bytes long.
func (e *keyExpr) uncompressed() bool { return len(e.pub) == 65 }

// account returns the expression as a Key of the wallet's own: an extended
// public key with its origin.
func (e *keyExpr) account(p *parser, net Network) (Key, *pubNode, error) {
	if e.private {
		return Key{}, nil, p.failAt(e.keyOff, ErrPrivateKey)
	}
	if e.ext == nil {
		return Key{}, nil, p.failAt(e.keyOff, errors.New("single key: want an extended public key"))
	}
	node, err := parseAccountOn(e.text, net)
	if err != nil {
		return Key{}, nil, p.failAt(e.keyOff, err)
	}
	if !e.hasOrigin {
		return Key{}, nil, p.failAt(e.off, fmt.Errorf("%w: want [fingerprint/path] before it", ErrNoOrigin))
	}
	if len(e.path) > maxAccountPath {
		return Key{}, nil, p.failAt(e.off, errPathTooLong)
	}
	return Key{Fingerprint: e.fp, Path: e.path, XPub: e.text}, node, nil
}

// parseKeyText decodes the key itself: hex, WIF or extended.
func (e *keyExpr) parseKeyText() error {
	if len(e.text) == 66 || len(e.text) == 130 {
		if raw, err := hex.DecodeString(e.text); err == nil {
			// Hybrid keys (06, 07) parse too, and are not standard anywhere.
			if _, err := btcec.ParsePubKey(raw); err != nil || raw[0] > 4 {
				return errors.New("not a point on the curve")
			}
			e.pub, e.text = raw, strings.ToLower(e.text)
			return nil
		}
	}
	if len(e.text) >= 4 && (e.text[1:4] == "pub" || e.text[1:4] == "prv") {
		ext, mainnet, err := parseExtended(e.text)
		if err != nil {
			return err
		}
		e.ext, e.mainnet, e.private = ext, mainnet, ext.IsPrivate()
		return nil
	}
	// A WIF key has 51 or 52 characters.
	if len(e.text) > 52 {
		return errors.New("not a public key in hex, WIF or extended key")
	}
	wif, err := btcutil.DecodeWIF(e.text)
	if err != nil {
		return errors.New("not a public key in hex, WIF or extended key")
	}
	e.pub, e.private = wif.SerializePubKey(), true
	return nil
}
