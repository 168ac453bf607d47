package signer

import (
	"context"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// None is the signer of a node without a seed: in each of its wallets its key is
// an external one. Everything is refused with port.ErrNoSeed.
type None struct{}

var _ port.Signer = None{}

// AccountKey returns port.ErrNoSeed.
func (None) AccountKey(context.Context, wallet.ScriptType, uint32) (wallet.Key, error) {
	return wallet.Key{}, port.ErrNoSeed
}

// SignClaim returns port.ErrNoSeed.
func (None) SignClaim(context.Context, wallet.ScriptType, uint32, port.KeyClaim) ([]byte, error) {
	return nil, port.ErrNoSeed
}

// SignSpend returns port.ErrNoSeed.
func (None) SignSpend(context.Context, wallet.ScriptType, uint32, *wallet.Spend) ([]wallet.Signature, error) {
	return nil, port.ErrNoSeed
}
