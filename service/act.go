package service

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Approve signs, after every check has passed or was overridden by name.
func (n *Node) Approve(ctx context.Context, ref string, r api.Approve) (api.Proposal, error) {
	var tx chainhash.Hash
	if r.TxID != "" {
		var err error
		if tx, err = txidOf(r.TxID); err != nil {
			return api.Proposal{}, err
		}
	}
	var upTo *coordinator.UpTo
	if r.BumpTo != nil {
		upTo = &coordinator.UpTo{Fee: *r.BumpTo}
		if r.BumpFor > 0 {
			upTo.Until = time.Now().Add(time.Duration(r.BumpFor) * time.Second)
		}
	} else if r.BumpFor > 0 {
		return api.Proposal{}, api.Misuse("conflicting", "for how long bumps are agreed to is given, and not up to which fee", "give both")
	}
	return n.act(ctx, ref, r.Unless, func(id journal.EntryID) coordinator.Command[coordinator.Done] {
		return coordinator.Approve{Proposal: id, Allow: r.Allow, TxID: tx, UpTo: upTo}
	})
}

// txidOf reads a txid as it is shown.
func txidOf(s string) (chainhash.Hash, error) {
	id, err := chainhash.NewHashFromStr(s)
	if err != nil || len(s) != 2*chainhash.HashSize {
		return chainhash.Hash{}, api.Misuse("bad_txid", fmt.Sprintf("%.80q is not a txid", s), "it has 64 hex characters")
	}
	return *id, nil
}

// Reject votes against.
func (n *Node) Reject(ctx context.Context, ref string, r api.Reject) (api.Proposal, error) {
	return n.act(ctx, ref, r.Unless, func(id journal.EntryID) coordinator.Command[coordinator.Done] {
		return coordinator.Reject{Proposal: id, Reason: r.Reason}
	})
}

// Comment says something about a proposal to all cosigners.
func (n *Node) Comment(ctx context.Context, ref string, r api.Comment) (api.Proposal, error) {
	return n.act(ctx, ref, nil, func(id journal.EntryID) coordinator.Command[coordinator.Done] {
		return coordinator.Remark{Proposal: id, Text: r.Text, Allow: r.Allow, RequestID: r.RequestID}
	})
}

// Withdraw takes this node's own proposal back.
func (n *Node) Withdraw(ctx context.Context, ref string) (api.Proposal, error) {
	return n.act(ctx, ref, nil, func(id journal.EntryID) coordinator.Command[coordinator.Done] {
		return coordinator.Withdraw{Proposal: id}
	})
}

// act does something to a proposal; not where unless, if any, returns an error of what
// would be shown of it then.
func (n *Node) act(ctx context.Context, ref string, unless func(api.Proposal) error, cmd func(journal.EntryID) coordinator.Command[coordinator.Done]) (api.Proposal, error) {
	a, p, err := n.proposal(ref, true)
	if err != nil {
		return api.Proposal{}, err
	}
	if unless == nil {
		_, err = node.Do(ctx, a, cmd(p.ID()))
	} else {
		// What other wallets own is looked up before: the turn must not wait for them.
		owners := n.others(a.Group())
		_, err = node.DoUnless(ctx, a, cmd(p.ID()), func(m coordinator.Machine) error { return unless(n.shown(&m, p, owners)) })
	}
	if err != nil {
		return api.Proposal{}, n.apiError(err)
	}
	return n.show(a, p), nil
}

// Tx returns the transaction of a final proposal.
func (n *Node) Tx(_ context.Context, ref string) (api.Tx, error) {
	a, p, err := n.proposal(ref, false)
	if err != nil {
		return api.Tx{}, err
	}
	tx, err := a.Machine().Tx(p)
	if errors.Is(err, wallet.ErrMissingSignatures) {
		return api.Tx{}, api.Refuse("not_final", "the proposal is not final yet", "wait for further approvals")
	}
	if err != nil {
		return api.Tx{}, n.apiError(err)
	}
	var b strings.Builder
	if err := tx.Serialize(hex.NewEncoder(&b)); err != nil {
		return api.Tx{}, n.apiError(err)
	}
	return api.Tx{TxID: tx.TxHash().String(), WTxID: tx.WitnessHash().String(), Format: "hex", Hex: b.String()}, nil
}
