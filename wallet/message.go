package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/filetext"
)

// ErrMessageSignature is returned for what is no signature of a message by the key at hand.
var ErrMessageSignature = errors.New("signature of the message does not verify")

// messageSize is the size of a signed message's signature: a header that names
// the recovery, and r and s.
const messageSize = 65

// ProofKey is the public key by which an external key shows that somebody
// holds its private key: the child 0/0, the first that every device can reach.
type ProofKey struct {
	PubKey [33]byte
	// Path leads to it from the master key.
	Path []uint32
	// Address is its P2WPKH address: what wallets ask for when they sign a message.
	Address string
	// PkScript is that address's script.
	PkScript    []byte
	Fingerprint [4]byte
}

// ProofKey derives the child 0/0 of an account key. Errors: those of a
// malformed key, ErrWrongNetwork.
func (k Key) ProofKey(net Network) (ProofKey, error) {
	node, err := parseAccountOn(k.XPub, net)
	if err != nil {
		return ProofKey{}, fmt.Errorf("derive proof key: %w", err)
	}
	branch, chain, err := node.child(BranchExternal)
	if err != nil {
		return ProofKey{}, fmt.Errorf("derive proof key: %w", err)
	}
	pub, _, err := newPubNode(branch, chain[:]).child(0)
	if err != nil {
		return ProofKey{}, fmt.Errorf("derive proof key: %w", err)
	}
	p := ProofKey{PubKey: [33]byte(pub.SerializeCompressed()), Fingerprint: k.Fingerprint}
	p.Path = append(append(p.Path, k.Path...), BranchExternal, 0)
	p.PkScript = append([]byte{0, 20}, address.Hash160(p.PubKey[:])...)
	if p.Address, err = AddressOf(p.PkScript, net); err != nil {
		return ProofKey{}, fmt.Errorf("derive proof key: %w", err)
	}
	return p, nil
}

// PathText returns the path as m/48h/1h/0h/2h/0/0.
func (p ProofKey) PathText() string { return "m" + formatPath(p.Path) }

// messageHash is what a Bitcoin signed message signs: SHA-256 twice over the
// prefix and the text, each after its length.
func messageHash(text string) [32]byte {
	const prefix = "Bitcoin Signed Message:\n"
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = wire.WriteVarString(&b, 0, prefix)
	_ = wire.WriteVarString(&b, 0, text)
	return chainhash.DoubleHashH([]byte(b.String()))
}

// VerifyMessage checks the signature of a Bitcoin signed message, 65 bytes,
// by the proof key. The header's claim about the kind of address does not
// count: wallets differ in it (BIP137), and the key is the same.
func (p ProofKey) VerifyMessage(text string, sig []byte) error {
	if len(sig) != messageSize || sig[0] < 27 || sig[0] > 42 {
		return fmt.Errorf("%w: not 65 bytes with a header from 27 to 42", ErrMessageSignature)
	}
	compact := append([]byte{27 + (sig[0]-27)&3 + 4}, sig[1:]...)
	hash := messageHash(text)
	pub, _, err := ecdsa.RecoverCompact(compact, hash[:])
	if err != nil {
		return fmt.Errorf("%w: no key gives it", ErrMessageSignature)
	}
	if [33]byte(pub.SerializeCompressed()) != p.PubKey {
		return fmt.Errorf("%w: it is by another key, or of another text", ErrMessageSignature)
	}
	return nil
}

// MessageSignature is what a text form of a message's signature holds: the 65
// bytes of a Bitcoin signed message, or the signature of BIP322.
type MessageSignature struct {
	Recoverable []byte
	BIP322      []byte // DER and the sighash byte
}

// maxSignatureText bounds what is looked through for a signature, in bytes.
const maxSignatureText = 64 << 10

// ReadMessageSignature finds the signature in what a device or a program gave
// back: 65 bytes of a Bitcoin signed message, or BIP322's simple form (with its
// prefix "smp" or without) by a P2WPKH address; in base64, in hex or as they
// are, by themselves or with what is put around them, as armor, JSON, or the
// message and the address in the lines before. It returns ErrMessageSignature
// for anything else.
func ReadMessageSignature(s string, p ProofKey) (MessageSignature, error) {
	if len(s) > maxSignatureText {
		return MessageSignature{}, fmt.Errorf("%w: too long", ErrMessageSignature)
	}
	sig, err := findSignature(s, p)
	if err == nil {
		return sig, nil
	}
	if bare := simplePrefix.ReplaceAllString(s, "$1"); bare != s {
		if sig, err := findSignature(bare, p); err == nil {
			return sig, nil
		} else if !errors.Is(err, errNoSignature) {
			return MessageSignature{}, err
		}
	}
	return MessageSignature{}, err
}

var (
	simplePrefix   = regexp.MustCompile(`(^|[^A-Za-z0-9+/])smp`)
	errNoSignature = fmt.Errorf("%w: neither a signed message nor BIP322's simple form by a P2WPKH address, in base64 or hex", ErrMessageSignature)
)

func findSignature(s string, p ProofKey) (MessageSignature, error) {
	var sig MessageSignature
	why := errNoSignature
	_, err := filetext.Find([]byte(s), nil, func(raw []byte) bool {
		if len(raw) == messageSize && raw[0] >= 27 && raw[0] <= 42 && !printable(raw) {
			sig = MessageSignature{Recoverable: bytes.Clone(raw)}
			return true
		}
		simple, err := readSimple(raw, p)
		if err == nil {
			sig = MessageSignature{BIP322: simple}
			return true
		}
		if errors.Is(err, errOtherKey) {
			why = err
		}
		return false
	})
	switch {
	case errors.Is(err, filetext.ErrSeveral):
		return MessageSignature{}, fmt.Errorf("%w: there are several signatures: give one", ErrMessageSignature)
	case err != nil:
		return MessageSignature{}, why
	}
	return sig, nil
}

// printable says whether bytes are text rather than a signature.
func printable(raw []byte) bool {
	return !bytes.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r > '~' })
}
