package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Names of node-level records, under the zero group.
const (
	recGroup   = "group/"
	recAccount = "account/"
)

// GroupOf returns the group that a node-level record lists, if it does.
func GroupOf(record string) (journal.GroupID, bool) {
	var id journal.GroupID
	hex, ok := strings.CutPrefix(record, recGroup)
	return id, ok && id.UnmarshalText([]byte(hex)) == nil
}

// useAccount makes sure that no further wallet is given an account of the seed.
func (n *Node) useAccount(ctx context.Context, script wallet.ScriptType, account uint32) error {
	name := recAccount + string(script)
	recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, name)
	if err != nil {
		return fmt.Errorf("read account number: %w", err)
	}
	if b := recs[name]; len(b) == 8 {
		if next := binary.BigEndian.Uint64(b); next > uint64(account) {
			return nil
		}
	}
	if err := n.ports.Store.Commit(ctx, port.Batch{Puts: map[string][]byte{name: binary.BigEndian.AppendUint64(nil, uint64(account)+1)}}); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
