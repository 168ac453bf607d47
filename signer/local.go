package signer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Local holds a seed in this process. It is safe for concurrent use.
type Local struct {
	seed    []byte
	network wallet.Network

	mu       sync.Mutex
	accounts map[string]*wallet.AccountKey
}

var _ port.Signer = (*Local)(nil)

// NewLocal returns a signer for a BIP39 seed, which it keeps and does not copy.
func NewLocal(seed []byte, network wallet.Network) *Local {
	return &Local{seed: seed, network: network, accounts: map[string]*wallet.AccountKey{}}
}

func (s *Local) account(st wallet.ScriptType, n uint32) (*wallet.AccountKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := fmt.Sprintf("%s/%d", st, n)
	if a, ok := s.accounts[k]; ok {
		return a, nil
	}
	a, err := wallet.DeriveAccount(s.seed, s.network, st, n)
	if err != nil {
		return nil, err
	}
	if len(s.accounts) >= maxAccounts {
		clear(s.accounts) // derived again when asked for: a client cannot fill the memory
	}
	s.accounts[k] = a
	return a, nil
}

// maxAccounts is how many derived accounts are kept. A node has one for each wallet.
const maxAccounts = 256

// AccountKey returns the public account key (BIP48).
func (s *Local) AccountKey(_ context.Context, st wallet.ScriptType, account uint32) (wallet.Key, error) {
	a, err := s.account(st, account)
	if err != nil {
		return wallet.Key{}, err
	}
	return a.Key(), nil
}

// SignClaim signs a claim with the account's own key, if it is of that key.
func (s *Local) SignClaim(_ context.Context, st wallet.ScriptType, account uint32, claim port.KeyClaim) ([]byte, error) {
	a, err := s.account(st, account)
	if err != nil {
		return nil, err
	}
	if err := claim.Check(); err != nil {
		return nil, fmt.Errorf("sign for a key: %w", err)
	}
	if !claim.Of(a.Key()) {
		return nil, errors.New("sign for a key: the claim is of another key")
	}
	return a.SignHash(claim.Hash()), nil
}

// SignSpend returns one signature for each input.
func (s *Local) SignSpend(_ context.Context, st wallet.ScriptType, account uint32, spend *wallet.Spend) ([]wallet.Signature, error) {
	a, err := s.account(st, account)
	if err != nil {
		return nil, err
	}
	return spend.Sign(a)
}
