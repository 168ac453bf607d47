package wallet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/address/v2/base58"
)

// ErrKeyDepth is returned for an extended key that is not where its origin says,
// or not where a cosigner's key belongs.
var ErrKeyDepth = errors.New("key is at the wrong depth")

// ErrMasterKey is returned for a master key where an account's belongs.
var ErrMasterKey = errors.New("key is a master key")

// purposeMultisig is BIP48's first step.
const purposeMultisig = hardened + 48

// FitsOrigin holds a key to its own origin: as many steps as it is deep, the last
// of which is its child number. It returns ErrKeyDepth.
func (k Key) FitsOrigin() error {
	raw := base58.Decode(k.XPub)
	if len(raw) != 82 {
		return fmt.Errorf("%w: not an extended key", ErrKeyDepth)
	}
	depth, child := int(raw[4]), binary.BigEndian.Uint32(raw[9:13])
	if depth != len(k.Path) {
		return fmt.Errorf("%w: it is %d steps below the master key, its origin has %d", ErrKeyDepth, depth, len(k.Path))
	}
	if depth == 0 {
		return nil
	}
	if last := k.Path[depth-1]; last != child {
		return fmt.Errorf("%w: it is child %s, its origin ends with %s", ErrKeyDepth, formatStep(child), formatStep(last))
	}
	return nil
}

// CheckOrigin is FitsOrigin, for a key that is to be a new cosigner's: it is no
// master key, and where its origin is one of BIP48, that has the coin type and
// the script type of the wallet. It returns ErrMasterKey, ErrKeyDepth, ErrWrongNetwork,
// or ErrUnsupported for a script type that is none.
func (k Key) CheckOrigin(net Network, st ScriptType) error {
	f, err := FormOf(st)
	if err != nil {
		return err
	}
	if raw := base58.Decode(k.XPub); len(raw) == 82 && raw[4] == 0 {
		return fmt.Errorf("%w: take the account key, as of m/48h/%dh/0h/%dh", ErrMasterKey, net.CoinType(), f.AccountStep())
	}
	if err := k.FitsOrigin(); err != nil {
		return err
	}
	if k.Path[0] != purposeMultisig {
		return nil
	}
	if len(k.Path) != 4 {
		return fmt.Errorf("%w: BIP48 keys have 4 steps (m/48h/%dh/0h/%dh), this one has %d", ErrKeyDepth, net.CoinType(), f.AccountStep(), len(k.Path))
	}
	if k.Path[1] != hardened+net.CoinType() {
		return fmt.Errorf("%w: coin type %s, the wallet is on %s", ErrWrongNetwork, formatStep(k.Path[1]), net)
	}
	if want := hardened + f.AccountStep(); k.Path[3] != want {
		return fmt.Errorf("%w: BIP48 script type %s is not %s (%s)", ErrKeyDepth, formatStep(k.Path[3]), formatStep(want), st)
	}
	return nil
}

// SameSigner says whether two keys are of one signer: whatever their chain
// codes and origins, their public keys are the same.
func SameSigner(a, b Key) bool {
	x, y := base58.Decode(a.XPub), base58.Decode(b.XPub)
	return len(x) == 82 && len(y) == 82 && string(x[45:78]) == string(y[45:78])
}

// Account returns the account number of a key whose origin is one of BIP48.
func (k Key) Account() (uint32, bool) {
	if len(k.Path) != 4 || k.Path[0] != purposeMultisig || k.Path[2] < hardened {
		return 0, false
	}
	return k.Path[2] - hardened, true
}
