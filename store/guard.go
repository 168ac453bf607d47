package store

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// GuardBook is the sign guard in memory: every txid this node ever signed for,
// by outpoint. The decision to refuse rests on it and not on a search on disk,
// where a block that cannot be read looks like a record that is not there. Every
// store asks it. It is safe for concurrent use; Admit and the Add that follows
// are the caller's to keep together.
type GuardBook struct {
	mu    sync.RWMutex
	held  map[wire.OutPoint][]chainhash.Hash
	total int
}

// NewGuardBook returns a guard that knows of no signature.
func NewGuardBook() *GuardBook {
	return &GuardBook{held: make(map[wire.OutPoint][]chainhash.Hash)}
}

// Admit returns the records that are new, or port.ErrGuardConflict. An update of a
// batch must know of the earlier ones of the same batch too.
func (g *GuardBook) Admit(updates []port.GuardUpdate) ([]port.GuardRecord, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	fresh := NewGuardBook()
	var out []port.GuardRecord
	for _, u := range updates {
		held := slices.Concat(g.held[u.OutPoint], fresh.held[u.OutPoint])
		for _, txid := range held {
			if txid != u.TxID && !slices.Contains(u.Known, txid) {
				return nil, fmt.Errorf("sign for outpoint %s: %w", u.OutPoint, port.ErrGuardConflict)
			}
		}
		if !slices.Contains(held, u.TxID) {
			fresh.held[u.OutPoint] = append(fresh.held[u.OutPoint], u.TxID)
			out = append(out, u.GuardRecord)
		}
	}
	return out, nil
}

// Add takes records that were made durable.
func (g *GuardBook) Add(records ...port.GuardRecord) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range records {
		g.held[r.OutPoint] = append(g.held[r.OutPoint], r.TxID)
		g.total++
	}
}

// Len is how many records there are.
func (g *GuardBook) Len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.total
}

// List returns every record in the order of their keys.
func (g *GuardBook) List() []port.GuardRecord {
	g.mu.RLock()
	out := make([]port.GuardRecord, 0, g.total)
	for op, txids := range g.held {
		for _, txid := range txids {
			out = append(out, port.GuardRecord{OutPoint: op, TxID: txid})
		}
	}
	g.mu.RUnlock()
	slices.SortFunc(out, func(a, b port.GuardRecord) int {
		return bytes.Compare(guardKey(a), guardKey(b))
	})
	return out
}
