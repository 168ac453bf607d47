package coordinator

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// cosignerKey is this node's key in a group: the external one where there is
// one; in an existing wallet the one that the seed derives; else a new one.
func (n *Node) cosignerKey(ctx context.Context, g event.Genesis, external string) (CosignerKey, error) {
	if external != "" {
		key, err := namedKey(g, external)
		return CosignerKey{Key: key}, err
	}
	d, err := g.Existing()
	if err != nil {
		return CosignerKey{}, err
	}
	if d == nil {
		return n.newKey(ctx, wallet.ScriptType(g.Script))
	}
	for _, k := range d.Keys() {
		account, ok := k.Account()
		if !ok {
			continue
		}
		own, err := n.ports.Signer.AccountKey(ctx, d.ScriptType(), account)
		if err != nil {
			return CosignerKey{}, fmt.Errorf("derive account key: %w", err)
		}
		if own.XPub != k.XPub {
			continue
		}
		if err := n.useAccount(ctx, d.ScriptType(), account); err != nil {
			return CosignerKey{}, err
		}
		return CosignerKey{Account: account, Key: k, Prove: n.prover(ctx, d.ScriptType(), account)}, nil
	}
	return CosignerKey{}, refusal.New(refusal.NoKey, "this node's seed derives none of the keys of the wallet").
		WithHint("name the one that is yours, by its fingerprint: %s", keyList(d))
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

func (n *Node) prover(ctx context.Context, script wallet.ScriptType, account uint32) func(event.KeyClaim) ([]byte, error) {
	return func(c event.KeyClaim) ([]byte, error) { return n.ports.Signer.SignClaim(ctx, script, account, c) }
}
