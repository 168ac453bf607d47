package coordinator

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// aheadOfUse is how many addresses of each branch are looked for at once where a
// wallet is older than its group: one scan from its birthday finds them all.
const aheadOfUse = 200

// namedKey reads this node's external key for a group: one of the wallet's
// own, by its text or its fingerprint, where the wallet is older than the group.
func namedKey(g event.Genesis, text string) (wallet.Key, error) {
	d, err := g.Existing()
	if err != nil {
		return wallet.Key{}, err
	}
	if d == nil {
		return externalKey(text, wallet.Network(g.Network), wallet.ScriptType(g.Script))
	}
	var found []wallet.Key
	given, parseErr := wallet.ParseKey(text, wallet.Network(g.Network))
	for _, k := range d.Keys() {
		if parseErr == nil && wallet.SameSigner(given, k) || strings.EqualFold(text, hex.EncodeToString(k.Fingerprint[:])) {
			found = append(found, k)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return wallet.Key{}, refuse(RuleBadKey, "%.120q names no key of the wallet, or several", text).hint("its keys are %s", keyList(d))
}

func keyList(d *wallet.Descriptor) string {
	var out []string
	for _, k := range d.Keys() {
		out = append(out, hex.EncodeToString(k.Fingerprint[:]))
	}
	return strings.Join(out, ", ")
}

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
	return CosignerKey{}, refuse(RuleNoKey, "this node's seed derives none of the keys of the wallet").
		hint("name the one that is yours, by its fingerprint: %s", keyList(d))
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

// existed says whether the wallet is older than its group: it has a history.
func (m Machine) existed() bool { return m.State.Genesis().Descriptor != "" }

// lookAhead watches addresses of an existing wallet in large steps: nobody knows
// in which order its addresses were paid, so each step is looked for in the whole
// chain from the wallet's birthday.
func (m Machine) lookAhead() ledger.View {
	v := m.View
	if !m.existed() {
		return v
	}
	for branch := range uint32(2) {
		until := (v.Used(branch)/aheadOfUse + 1) * aheadOfUse
		if until-v.Used(branch) < 2*ledger.GapLimit {
			until += aheadOfUse
		}
		v = v.Hand(branch, until-1)
	}
	return v
}

// importing says whether a block is of the past of an existing wallet, while
// that is still being found: its addresses are then looked for from the birthday
// before the chain counts as seen. A payment of after this node took the wallet
// in is none of its past: whoever makes one must not stop this node.
func (m Machine) importing(b port.BlockRef) bool {
	return m.existed() && b.Height > 0 && b.Time <= m.local.Created && !m.View.Synced()
}
