package node

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// cosignerKey is this node's key in a group: the external one where there is
// one, whose origin may be an unusual one where that is allowed; in an existing wallet the one that the seed derives; else a new one.
func (n *Node) cosignerKey(ctx context.Context, g event.Genesis, external string, allow []string) (coordinator.CosignerKey, error) {
	if external != "" {
		key, err := coordinator.NamedKey(g, external, allow)
		return coordinator.CosignerKey{Key: key}, err
	}
	d, err := g.Existing()
	if err != nil {
		return coordinator.CosignerKey{}, err
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
			return coordinator.CosignerKey{}, fmt.Errorf("derive account key: %w", err)
		}
		if own.XPub != k.XPub {
			continue
		}
		if err := n.useAccount(ctx, d.ScriptType(), account); err != nil {
			return coordinator.CosignerKey{}, err
		}
		return coordinator.CosignerKey{Account: account, Key: k, Prove: n.prover(ctx, d.ScriptType(), account)}, nil
	}
	return coordinator.CosignerKey{}, coordinator.NoKeyOf(d)
}

func (n *Node) prover(ctx context.Context, script wallet.ScriptType, account uint32) func(event.KeyClaim) ([]byte, error) {
	return func(c event.KeyClaim) ([]byte, error) { return n.ports.Signer.SignClaim(ctx, script, account, c) }
}

// newKey takes the next account of the seed. The number is used up durably
// first: two wallets must never share a key.
func (n *Node) newKey(ctx context.Context, script wallet.ScriptType) (coordinator.CosignerKey, error) {
	account, err := n.takeAccount(ctx, script)
	if err != nil {
		return coordinator.CosignerKey{}, err
	}
	key, err := n.ports.Signer.AccountKey(ctx, script, account)
	if err != nil {
		return coordinator.CosignerKey{}, fmt.Errorf("derive account key: %w", err)
	}
	return coordinator.CosignerKey{Account: account, Key: key, Prove: n.prover(ctx, script, account)}, nil
}

// findKey looks for a ratified key among the accounts of the seed, and keeps
// its number from being used for another wallet.
func (n *Node) findKey(ctx context.Context, group journal.GroupID, c event.Challenge) (coordinator.CosignerKey, error) {
	for account := range uint32(searchAccounts) {
		key, err := n.ports.Signer.AccountKey(ctx, c.Script, account)
		if err != nil {
			return coordinator.CosignerKey{}, fmt.Errorf("derive account key: %w", err)
		}
		if event.AccountHash(group, key.String()) != c.Account {
			continue
		}
		if err := n.useAccount(ctx, c.Script, account); err != nil {
			return coordinator.CosignerKey{}, err
		}
		return coordinator.CosignerKey{Account: account, Key: key, Prove: n.prover(ctx, c.Script, account)}, nil
	}
	return coordinator.CosignerKey{}, errNotThisKey()
}

// nextAccount returns the lowest account of the seed that no wallet was given.
func (n *Node) nextAccount(ctx context.Context, script wallet.ScriptType) (uint64, error) {
	name := recAccount + string(script)
	recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, name)
	if err != nil {
		return 0, fmt.Errorf("read account number: %w", err)
	}
	if b := recs[name]; len(b) == 8 {
		return binary.BigEndian.Uint64(b), nil
	}
	return 0, nil
}

// takeAccount uses up the next account.
func (n *Node) takeAccount(ctx context.Context, script wallet.ScriptType) (uint32, error) {
	n.accounts.Lock()
	defer n.accounts.Unlock()
	next, err := n.nextAccount(ctx, script)
	if err != nil {
		return 0, err
	}
	if next >= event.MaxIndex {
		return 0, fmt.Errorf("%w: no account number left", refusal.ErrBadRequest)
	}
	return uint32(next), n.writeAccount(ctx, script, uint32(next))
}

// useAccount makes sure, durably, that no further wallet is given an account.
func (n *Node) useAccount(ctx context.Context, script wallet.ScriptType, account uint32) error {
	n.accounts.Lock()
	defer n.accounts.Unlock()
	next, err := n.nextAccount(ctx, script)
	if err != nil || next > uint64(account) {
		return err
	}
	return n.writeAccount(ctx, script, account)
}

// writeAccount writes down that an account is the last one in use. accounts is held.
func (n *Node) writeAccount(ctx context.Context, script wallet.ScriptType, account uint32) error {
	name := recAccount + string(script)
	if err := n.ports.Store.Commit(ctx, port.Batch{Puts: map[string][]byte{name: binary.BigEndian.AppendUint64(nil, uint64(account)+1)}}); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
