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

// guardBook is the sign guard in memory: every txid this node ever signed for,
// by outpoint. The decision to refuse rests on it and not on a search on disk,
// where a block that cannot be read looks like a record that is not there.
type guardBook struct {
	mu    sync.RWMutex
	held  map[wire.OutPoint][]chainhash.Hash
	total int
}

func newGuardBook() *guardBook {
	return &guardBook{held: make(map[wire.OutPoint][]chainhash.Hash)}
}

// admit returns the records that are new, or ErrGuardConflict. An update of a
// batch must know of the earlier ones of the same batch too.
func (g *guardBook) admit(updates []port.GuardUpdate) ([]port.GuardRecord, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	fresh := newGuardBook()
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

func (g *guardBook) add(records ...port.GuardRecord) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range records {
		g.held[r.OutPoint] = append(g.held[r.OutPoint], r.TxID)
		g.total++
	}
}

func (g *guardBook) len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.total
}

// list returns every record in the order of their keys.
func (g *guardBook) list() []port.GuardRecord {
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
