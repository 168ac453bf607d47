package node

import (
	"context"
	"strings"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// peerStore shows what a peer made durable as a Store, for Load.
type peerStore struct{ p *peer }

func storeOf(p *peer) port.Store { return peerStore{p} }

func (s peerStore) Commit(_ context.Context, b port.Batch) error { s.p.persist(b); return nil }

func (s peerStore) Walk(_ context.Context, _ journal.GroupID, yield func(*journal.Entry) error) error {
	for _, chain := range s.p.chains() {
		for _, e := range chain {
			if err := yield(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s peerStore) Entry(_ context.Context, _ journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	if e, ok := s.p.held[id]; ok {
		return e, nil
	}
	return nil, port.ErrNotFound
}

func (s peerStore) Range(context.Context, journal.GroupID, journal.ChainKey, uint64, int, int) ([]*journal.Entry, error) {
	return nil, port.ErrUnsupported
}

func (s peerStore) Records(_ context.Context, _ journal.GroupID, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for k, v := range s.p.records {
		if strings.HasPrefix(k, prefix) {
			out[k] = v
		}
	}
	return out, nil
}

func (s peerStore) Guard(context.Context) ([]port.GuardRecord, error) {
	var out []port.GuardRecord
	for g := range s.p.guard {
		out = append(out, g)
	}
	return out, nil
}
