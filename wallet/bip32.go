package wallet

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
)

// hardened is the first hardened child index (BIP32).
const hardened = uint32(hdkeychain.HardenedKeyStart)

var (
	errExtendedKey = errors.New("malformed extended key")
	errDerive      = errors.New("no child key at this index")
)

// Versions of extended keys (BIP32): mainnet and every test network.
const (
	versionXPub = 0x0488b21e
	versionXPrv = 0x0488ade4
	versionTPub = 0x043587cf
	versionTPrv = 0x04358394
)

// parseExtended decodes an xpub, xprv, tpub or tprv with every check of BIP32,
// some of which hdkeychain leaves out. Other versions (SLIP-132) are refused.
func parseExtended(s string) (key *hdkeychain.ExtendedKey, mainnet bool, err error) {
	// 78 bytes and 4 of checksum are 111 or 112 characters; base58 decoding is quadratic.
	if len(s) > 112 {
		return nil, false, fmt.Errorf("%w: too long", errExtendedKey)
	}
	raw := base58.Decode(s)
	if len(raw) != 82 {
		return nil, false, fmt.Errorf("%w: not base58 of 82 bytes", errExtendedKey)
	}
	version, depth, keyData := binary.BigEndian.Uint32(raw), raw[4], raw[45:78]
	switch version {
	case versionXPub, versionTPub:
		if keyData[0] != 2 && keyData[0] != 3 {
			return nil, false, fmt.Errorf("%w: public version on other key data", errExtendedKey)
		}
	case versionXPrv, versionTPrv:
		if keyData[0] != 0 {
			return nil, false, fmt.Errorf("%w: private version on other key data", errExtendedKey)
		}
		var scalar btcec.ModNScalar
		if scalar.SetByteSlice(keyData[1:]) || scalar.IsZero() {
			return nil, false, fmt.Errorf("%w: private key out of range", errExtendedKey)
		}
	default:
		return nil, false, fmt.Errorf("%w: version %08x is not of an xpub, xprv, tpub or tprv", errExtendedKey, version)
	}
	if depth == 0 && (binary.BigEndian.Uint32(raw[5:]) != 0 || binary.BigEndian.Uint32(raw[9:]) != 0) {
		return nil, false, fmt.Errorf("%w: depth 0 with a parent or an index", errExtendedKey)
	}
	key, err = hdkeychain.NewKeyFromString(s)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errExtendedKey, err)
	}
	return key, version == versionXPub || version == versionXPrv, nil
}

// pubNode is a point of the key tree from which public children are derived
// without parsing it again. It is immutable.
type pubNode struct {
	pub   [33]byte
	point btcec.JacobianPoint
	chain [32]byte
}

func newPubNode(key *btcec.PublicKey, chain []byte) *pubNode {
	n := &pubNode{pub: [33]byte(key.SerializeCompressed()), chain: [32]byte(chain)}
	key.AsJacobian(&n.point)
	return n
}

// child derives one unhardened public child: CKDpub of BIP32, without the
// fingerprint, which costs two more hashes and is of no use here.
func (n *pubNode) child(index uint32) (*btcec.PublicKey, [32]byte, error) {
	if index >= hardened {
		return nil, [32]byte{}, fmt.Errorf("%w: hardened from a public key", errDerive)
	}
	tweak, chain, err := childTweak(&n.pub, &n.chain, index)
	if err != nil {
		return nil, chain, err
	}
	var sum btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(&tweak, &sum)
	btcec.AddNonConst(&sum, &n.point, &sum)
	if sum.Z.IsZero() || (sum.X.IsZero() && sum.Y.IsZero()) {
		return nil, chain, errDerive
	}
	sum.ToAffine()
	return btcec.NewPublicKey(&sum.X, &sum.Y), chain, nil
}

// childPriv derives one unhardened private child: CKDpriv of BIP32.
func childPriv(parent *btcec.ModNScalar, pub *[33]byte, chain *[32]byte, index uint32) (btcec.ModNScalar, [32]byte, error) {
	key, childChain, err := childTweak(pub, chain, index)
	if err != nil {
		return key, childChain, err
	}
	key.Add(parent)
	if key.IsZero() {
		return key, childChain, errDerive
	}
	return key, childChain, nil
}

// childTweak returns the number added to the parent's key, and the child's chain code.
func childTweak(pub *[33]byte, chain *[32]byte, index uint32) (tweak btcec.ModNScalar, childChain [32]byte, err error) {
	var data [37]byte
	copy(data[:], pub[:])
	binary.BigEndian.PutUint32(data[33:], index)
	mac := hmac.New(sha512.New, chain[:])
	mac.Write(data[:])
	sum := mac.Sum(nil)
	if tweak.SetByteSlice(sum[:32]) {
		return tweak, childChain, errDerive
	}
	return tweak, [32]byte(sum[32:]), nil
}
