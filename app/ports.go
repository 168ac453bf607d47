package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// signer holds the seed in this process (see coordinator.Signer).
type signer struct {
	seed    []byte
	network wallet.Network

	mu       sync.Mutex
	accounts map[string]*wallet.AccountKey
}

func (s *signer) account(st wallet.ScriptType, n uint32) (*wallet.AccountKey, error) {
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
	if s.accounts == nil {
		s.accounts = map[string]*wallet.AccountKey{}
	}
	s.accounts[k] = a
	return a, nil
}

func (s *signer) AccountKey(_ context.Context, st wallet.ScriptType, account uint32) (wallet.Key, error) {
	a, err := s.account(st, account)
	if err != nil {
		return wallet.Key{}, err
	}
	return a.Key(), nil
}

func (s *signer) SignHash(_ context.Context, st wallet.ScriptType, account uint32, hash [32]byte) ([]byte, error) {
	a, err := s.account(st, account)
	if err != nil {
		return nil, err
	}
	return a.SignHash(hash), nil
}

func (s *signer) SignSpend(_ context.Context, st wallet.ScriptType, account uint32, spend *wallet.Spend) ([]wallet.Signature, error) {
	a, err := s.account(st, account)
	if err != nil {
		return nil, err
	}
	return spend.Sign(a)
}

// systemClock is the real time and the system's entropy.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Entropy(b []byte) error {
	if _, err := rand.Read(b); err != nil {
		return fmt.Errorf("read entropy: %w", err)
	}
	return nil
}

// watchedStore tells when a write failed with unknown outcome: the node must
// then stop, because only opening the store anew says what is there.
type watchedStore struct {
	*store.Badger
	broken chan<- error
}

func (s watchedStore) Commit(ctx context.Context, b coordinator.Batch) error {
	err := s.Badger.Commit(ctx, b)
	if errors.Is(err, store.ErrBroken) {
		select {
		case s.broken <- err:
		default: // told already
		}
	}
	return err
}

// addressBook remembers where members were reached, among the node's own records.
type addressBook struct{ store *store.Badger }

const recAddresses = "addresses"

func (b *addressBook) Load() (map[string][]string, error) {
	recs, err := b.store.Records(context.Background(), journal.GroupID{}, recAddresses)
	if err != nil {
		return nil, fmt.Errorf("read remembered addresses: %w", err)
	}
	out := map[string][]string{}
	if raw, ok := recs[recAddresses]; ok {
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, fmt.Errorf("read remembered addresses: %w", err)
		}
	}
	return out, nil
}

func (b *addressBook) Save(m map[string][]string) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("remember addresses: %w", err)
	}
	return b.store.Commit(context.Background(), coordinator.Batch{Puts: map[string][]byte{recAddresses: raw}})
}
