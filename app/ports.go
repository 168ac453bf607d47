package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/store"
)

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
	// full is called when the disk is.
	full func()
}

func (s watchedStore) Commit(ctx context.Context, b port.Batch) error {
	err := s.Badger.Commit(ctx, b)
	if errors.Is(err, port.ErrNoSpace) {
		s.full()
	}
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
	return b.store.Commit(context.Background(), port.Batch{Puts: map[string][]byte{recAddresses: raw}})
}

// host is the network as the API's service asks it.
type host struct{ *p2p.Node }

// Problem implements service.Network.
func (h host) Problem() string { return h.Handshakes().Problem() }
