package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Ready is a wallet that is active and paid, as each of its members has it, for
// tests that begin there.
type Ready struct {
	Group     journal.GroupID
	Threshold int
	Now       time.Time
	Blocks    []ReadyBlock
	Coins     []wire.OutPoint // confirmed and unspent
	Members   []ReadyMember
}

// ReadyBlock is one of the chain, and all that is in it.
type ReadyBlock struct {
	Ref  port.BlockRef
	Prev chainhash.Hash
	Txs  []*wire.MsgTx
}

// ReadyMember is what one member of a Ready has in memory and in its store.
type ReadyMember struct {
	Name    string
	Self    *group.Self
	Account *wallet.AccountKey
	Machine coordinator.Machine
	Entries []*journal.Entry
	Records map[string][]byte
}

// Ready returns a wallet that k of n spend from, the same each time.
func (p *Pool) Ready(k, n int) (Ready, error) {
	g, err := p.group(k, n, false)
	if err != nil {
		return Ready{}, err
	}
	out := Ready{Group: g.id, Threshold: k, Now: birthTime().Add(4 * time.Minute)}
	for _, b := range g.chain.blocks {
		out.Blocks = append(out.Blocks, ReadyBlock{b.ref, b.prev, b.txs})
	}
	for i, m := range g.machines {
		x := p.people[i]
		var entries []*journal.Entry
		for _, c := range g.disks[i].chains {
			entries = append(entries, c...)
		}
		slices.SortFunc(entries, func(a, b *journal.Entry) int {
			x, y := a.ID(), b.ID()
			return slices.Compare(x[:], y[:])
		})
		records := maps.Clone(g.disks[i].records)
		parts, _, err := m.Snapshots().Batches(m)
		if err != nil {
			return Ready{}, err
		}
		for _, b := range parts {
			maps.Copy(records, b.Puts)
		}
		out.Members = append(out.Members, ReadyMember{x.name, x.self, x.account, m, entries, records})
	}
	for _, c := range coordinator.Coins(g.machines[0].State, g.machines[0].View, out.Now) {
		out.Coins = append(out.Coins, c.OutPoint)
	}
	return out, nil
}
