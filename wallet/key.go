package wallet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
)

var (
	// ErrPrivateKey is returned where a private key stands in place of a public one.
	ErrPrivateKey = errors.New("private key where a public key is wanted")
	// ErrNoOrigin is returned for a key without its origin, [fingerprint/path].
	ErrNoOrigin = errors.New("key has no origin")
)

// Key is one cosigner's account key: an extended public key and where it comes
// from (key origin, BIP380).
type Key struct {
	// Fingerprint is of the master key: the first bytes of its HASH160.
	Fingerprint [4]byte
	// Path leads from the master key to XPub; hardened steps have bit 31 set.
	Path []uint32
	// XPub is the extended public key in base58 (xpub or tpub).
	XPub string
}

// ParseKey parses "[fingerprint/path]xpub", with h, H or ' as the hardened mark,
// and nothing after the xpub, which may be in one of the forms that SLIP-132
// gives to multisig accounts (Zpub, Ypub, Vpub, Upub); see ParseKeyFor. Errors
// are a *SyntaxError that names the position; ErrWrongNetwork, ErrPrivateKey,
// ErrSLIP132 and ErrNoOrigin can be told from it.
func ParseKey(s string, net Network) (Key, error) {
	k, _, err := parseKey(s, net)
	return k, err
}

// parseKey is ParseKey, with the script type that a SLIP-132 version stands for.
func parseKey(s string, net Network) (Key, ScriptType, error) {
	if err := checkNetwork(net); err != nil {
		return Key{}, "", err
	}
	p := &parser{what: "key", s: s, lenient: true}
	e, err := p.keyExpr()
	if err != nil {
		return Key{}, "", err
	}
	if p.pos != len(s) {
		return Key{}, "", p.failAt(p.pos, errors.New("text after the key"))
	}
	if len(e.steps) > 0 || e.wildcard != wildcardNone {
		return Key{}, "", p.failAt(e.stepsOff, errors.New("derivation after the key: the descriptor adds it"))
	}
	k, _, err := e.account(p, net)
	return k, e.slip132, err
}

// String returns the key as ParseKey reads it, with h as the hardened mark.
func (k Key) String() string {
	return formatOrigin(k.Fingerprint, k.Path) + k.XPub
}

// VerifyHash checks a signature (strict DER, low-S, no sighash byte) over h by
// the xpub's own key, no child of it. It returns ErrSignatureEncoding,
// ErrSignatureHighS or ErrSignatureInvalid.
func (k Key) VerifyHash(h [32]byte, sig []byte) error {
	node, _, err := parseAccount(k.XPub)
	if err != nil {
		return fmt.Errorf("verify by account key: %w", err)
	}
	parsed, err := parseDER(sig)
	if err != nil {
		return err
	}
	pub := btcec.NewPublicKey(&node.point.X, &node.point.Y)
	if !parsed.Verify(h[:], pub) {
		return ErrSignatureInvalid
	}
	return nil
}

// clone keeps a caller's changes to Path out of shared values.
func (k Key) clone() Key {
	k.Path = append([]uint32(nil), k.Path...)
	return k
}

// parseAccount decodes an extended public key.
func parseAccount(xpub string) (node *pubNode, mainnet bool, err error) {
	ext, mainnet, err := parseExtended(xpub)
	if err != nil {
		return nil, false, err
	}
	if ext.IsPrivate() {
		return nil, false, ErrPrivateKey
	}
	pub, err := ext.ECPubKey()
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errExtendedKey, err)
	}
	return newPubNode(pub, ext.ChainCode()), mainnet, nil
}

// parseAccountOn is parseAccount with the network checked.
func parseAccountOn(xpub string, net Network) (*pubNode, error) {
	node, mainnet, err := parseAccount(xpub)
	if err != nil {
		return nil, err
	}
	if mainnet != (net == Mainnet) {
		where := "a test network"
		if mainnet {
			where = string(Mainnet)
		}
		return nil, fmt.Errorf("%w: key is for %s, the wallet is on %s", ErrWrongNetwork, where, net)
	}
	return node, nil
}

// formatOrigin returns "[fingerprint/path]".
func formatOrigin(fp [4]byte, path []uint32) string {
	return "[" + hex.EncodeToString(fp[:]) + formatPath(path) + "]"
}

// formatPath returns "/48h/0", empty for an empty path.
func formatPath(path []uint32) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(formatStep(step))
	}
	return b.String()
}

func formatStep(step uint32) string {
	if step >= hardened {
		return strconv.FormatUint(uint64(step-hardened), 10) + "h"
	}
	return strconv.FormatUint(uint64(step), 10)
}
