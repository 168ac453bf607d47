package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// listenPorts remembers which ports were chosen for a port of 0.
type listenPorts struct{ Configured, Chosen []string }

const recPorts = "listen"

func readPorts(ctx context.Context, db *store.Badger) (listenPorts, error) {
	var p listenPorts
	recs, err := db.Records(ctx, journal.GroupID{}, recPorts)
	if err != nil {
		return p, fmt.Errorf("read remembered ports: %w", err)
	}
	if raw, ok := recs[recPorts]; ok {
		if err := json.Unmarshal(raw, &p); err != nil {
			return p, fmt.Errorf("read remembered ports: %w", err)
		}
	}
	return p, nil
}

func (p listenPorts) save(ctx context.Context, db *store.Badger) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("remember ports: %w", err)
	}
	return db.Commit(ctx, port.Batch{Puts: map[string][]byte{recPorts: raw}})
}
