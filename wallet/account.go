package wallet

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
)

// ErrKeyWiped is returned for an AccountKey after Zero.
var ErrKeyWiped = errors.New("private key was wiped")

// AccountKey is the private key of one BIP48 account. It is safe for
// concurrent use. After Zero it signs nothing.
type AccountKey struct {
	key Key
	pub *pubNode

	mu     sync.RWMutex
	priv   btcec.ModNScalar
	zeroed bool
}

// DeriveAccount derives m/48'/coin'/account'/step' (BIP48), the step being the
// form's, from a BIP32 seed of 16 to 64 bytes. Errors: ErrUnknownNetwork,
// ErrUnsupported (script type), ErrScriptIndex (account of 2^31 or more), or a
// seed that BIP32 refuses.
func DeriveAccount(seed []byte, net Network, st ScriptType, account uint32) (*AccountKey, error) {
	if err := checkNetwork(net); err != nil {
		return nil, err
	}
	form, err := FormOf(st)
	if err != nil {
		return nil, err
	}
	if account >= hardened {
		return nil, fmt.Errorf("%w: account %d", ErrScriptIndex, account)
	}
	key, err := hdkeychain.NewMaster(seed, net.Params())
	if err != nil {
		return nil, fmt.Errorf("derive master key: %w", err)
	}
	defer func() { key.Zero() }()
	masterPub, err := key.ECPubKey()
	if err != nil {
		return nil, fmt.Errorf("derive master key: %w", err)
	}
	fingerprint := [4]byte(address.Hash160(masterPub.SerializeCompressed()))
	path := []uint32{hardened + 48, hardened + net.CoinType(), hardened + account, hardened + form.AccountStep()}
	for _, step := range path {
		child, err := key.Derive(step)
		if err != nil {
			return nil, fmt.Errorf("derive account key: %w", err)
		}
		key.Zero()
		key = child
	}
	priv, err := key.ECPrivKey()
	if err != nil {
		return nil, fmt.Errorf("derive account key: %w", err)
	}
	defer priv.Zero()
	neutered, err := key.Neuter()
	if err != nil {
		return nil, fmt.Errorf("derive account key: %w", err)
	}
	a := &AccountKey{
		key: Key{Fingerprint: fingerprint, Path: path, XPub: neutered.String()},
		pub: newPubNode(priv.PubKey(), key.ChainCode()),
	}
	a.priv.Set(&priv.Key)
	return a, nil
}

// Key returns the public part, with its origin.
func (a *AccountKey) Key() Key { return a.key.clone() }

// SignHash signs h by the account key itself: RFC6979, low-R, low-S, DER
// without a sighash byte. It returns nil after Zero.
func (a *AccountKey) SignHash(h [32]byte) []byte {
	priv, ok := a.scalar()
	if !ok {
		return nil
	}
	defer priv.Zero()
	return signLowR(&priv, h).Serialize()
}

// Zero wipes the private key.
func (a *AccountKey) Zero() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.priv.Zero()
	a.zeroed = true
}

// scalar returns a copy of the private key, which the caller wipes.
func (a *AccountKey) scalar() (btcec.ModNScalar, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.priv, !a.zeroed
}

// keyIndex returns which of a descriptor's keys the account is, or -1. The
// chain code counts too: without it the children differ.
func (a *AccountKey) keyIndex(d *Descriptor) int {
	return slices.IndexFunc(d.accounts, func(n *pubNode) bool {
		return n.pub == a.pub.pub && n.chain == a.pub.chain
	})
}

// privNode is a branch of an account, from which signing keys are derived.
type privNode struct {
	priv  btcec.ModNScalar
	pub   [33]byte
	chain [32]byte
}

// branchKeys derives the private keys of both branches; the caller wipes them.
func (a *AccountKey) branchKeys(branches [2]*pubNode) ([2]privNode, error) {
	var out [2]privNode
	priv, ok := a.scalar()
	if !ok {
		return out, ErrKeyWiped
	}
	defer priv.Zero()
	for i := range out {
		key, chain, err := childPriv(&priv, &a.pub.pub, &a.pub.chain, uint32(i))
		if err != nil {
			return out, err
		}
		out[i] = privNode{priv: key, pub: branches[i].pub, chain: chain}
	}
	return out, nil
}

// child derives the signing key at an index; the caller wipes it.
func (n *privNode) child(index uint32) (btcec.ModNScalar, error) {
	key, _, err := childPriv(&n.priv, &n.pub, &n.chain, index)
	return key, err
}
