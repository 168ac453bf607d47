package wallet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// ErrSLIP132 is returned for an extended key whose SLIP-132 version is of
// another kind of wallet than the one it is given for.
var ErrSLIP132 = errors.New("extended key of another kind of wallet")

// slip132 is one version of SLIP-132. The letter of a test network's version
// stands for all of them.
type slip132 struct {
	prefix  string     // of wallets of a single signature
	st      ScriptType // empty for those
	mainnet bool
	private bool
}

// VersionNetwork says whether an extended public key of this version is of the
// main network; known is false for what is no version of BIP32 or SLIP-132.
func VersionNetwork(version uint32) (mainnet, known bool) {
	switch version {
	case versionXPub, 0x04b24746, 0x049d7cb2: // xpub, zpub, ypub
		return true, true
	case versionTPub, 0x045f1cf6, 0x044a5262: // tpub, vpub, upub
		return false, true
	}
	v, ok := slip132Of(version)
	return v.mainnet, ok && !v.private
}

// slip132Of returns what a version of SLIP-132 says; BIP32's own are none.
func slip132Of(version uint32) (slip132, bool) {
	for _, f := range Forms() {
		for _, mainnet := range []bool{true, false} {
			if f.SLIP132(mainnet) == version {
				return slip132{st: f.Kind(), mainnet: mainnet}, true
			}
		}
	}
	switch version {
	case 0x04b24746:
		return slip132{prefix: "zpub"}, true
	case 0x049d7cb2:
		return slip132{prefix: "ypub"}, true
	case 0x045f1cf6:
		return slip132{prefix: "vpub"}, true
	case 0x044a5262:
		return slip132{prefix: "upub"}, true
	case 0x02aa7a99, 0x0295b005, 0x02575048, 0x024285b5, 0x04b2430c, 0x049d7878, 0x045f18bc, 0x044a4e28:
		return slip132{private: true}, true
	}
	return slip132{}, false
}

// FromSLIP132 converts Zpub, Ypub, Vpub and Upub (SLIP-132: multisig accounts)
// to the xpub or tpub of BIP32 and says which script type the version stands
// for. Any other text is returned as it is, with an empty script type.
// Errors: ErrPrivateKey, and ErrSLIP132 for the versions of single-signature
// wallets (zpub, ypub, vpub, upub).
func FromSLIP132(text string) (xpub string, st ScriptType, err error) {
	// 82 bytes are 112 characters at most; base58 decoding is quadratic.
	if len(text) > 112 {
		return text, "", nil
	}
	raw := base58.Decode(text)
	if len(raw) != 82 {
		return text, "", nil
	}
	v, ok := slip132Of(binary.BigEndian.Uint32(raw))
	switch {
	case !ok:
		return text, "", nil
	case v.private:
		return "", "", ErrPrivateKey
	case v.st == "":
		return "", "", fmt.Errorf("%w: %s is of a single-signature account, want the key of a multisig account", ErrSLIP132, v.prefix)
	}
	// The checksum is of the version too: it is checked before it is replaced.
	if [4]byte(chainhash.DoubleHashB(raw[:78])[:4]) != [4]byte(raw[78:]) {
		return "", "", fmt.Errorf("%w: the checksum does not match", errExtendedKey)
	}
	version := uint32(versionTPub)
	if v.mainnet {
		version = versionXPub
	}
	return withVersion(raw, version), v.st, nil
}

// ToSLIP132 returns an xpub or tpub with the version that SLIP-132 gives to
// multisig accounts of a script type: Zpub, Ypub, Vpub or Upub. Errors:
// ErrUnsupported (script type), ErrPrivateKey, or a malformed key.
func ToSLIP132(xpub string, st ScriptType) (string, error) {
	_, mainnet, err := parseAccount(xpub)
	if err != nil {
		return "", err
	}
	f, err := FormOf(st)
	if err != nil {
		return "", err
	}
	return withVersion(base58.Decode(xpub), f.SLIP132(mainnet)), nil
}

// withVersion encodes the 82 bytes of an extended key under another version.
func withVersion(raw []byte, version uint32) string {
	out := binary.BigEndian.AppendUint32(nil, version)
	out = append(out, raw[4:78]...)
	return base58.Encode(append(out, chainhash.DoubleHashB(out)[:4]...))
}

// ParseKeyFor is ParseKey for a wallet of a known script type: a SLIP-132
// version that stands for the other one is refused with ErrSLIP132.
func ParseKeyFor(s string, net Network, st ScriptType) (Key, error) {
	k, says, err := parseKey(s, net)
	if err != nil {
		return Key{}, err
	}
	if says != "" && says != st {
		return Key{}, fmt.Errorf("%w: its version is of %s, the wallet is %s", ErrSLIP132, says, st)
	}
	return k, nil
}

// AccountPublicKey returns the public key of the xpub itself, 33 bytes.
func (k Key) AccountPublicKey() ([]byte, error) {
	node, _, err := parseAccount(k.XPub)
	if err != nil {
		return nil, fmt.Errorf("read account key: %w", err)
	}
	return btcec.NewPublicKey(&node.point.X, &node.point.Y).SerializeCompressed(), nil
}
