package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/formats"
)

// Labels lists what the members call what is the wallet's.
func (n *Node) Labels(_ context.Context, ref string) ([]api.Label, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, err
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return nil, api.Refuse(refusal.NotActive, "the wallet is not active: "+m.Missing(), "")
	}
	var out []api.Label
	for _, l := range m.Labels() { // a member may label what it likes
		x := api.Label{Label: l.Text, By: personOf(m, l.Ref.Chain.Author), Time: api.Time(time.UnixMilli(l.Ref.Time))}
		switch l.Target.Kind {
		case event.LabelTx:
			x.Type, x.Ref = formats.LabelTx, l.Target.TxID().String()
		case event.LabelOutput:
			x.Type, x.Ref = formats.LabelOutput, l.Target.OutPoint().String()
		case event.LabelAddress:
			x.Type = formats.LabelAddress
			if x.Ref, err = wallet.AddressOf(l.Target.Script(), n.parts.Network); err != nil {
				return nil, n.apiError(err)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// SetLabels sets labels for all members.
func (n *Node) SetLabels(ctx context.Context, ref string, r api.SetLabels) (api.LabelsSet, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.LabelsSet{}, err
	}
	m := a.Machine()
	out := api.LabelsSet{Wallet: a.Group().String()}
	var cmd coordinator.SetLabels
	for _, l := range r.Labels {
		t, err := n.labelTarget(l.Ref)
		if r.SkipForeign && m.State.Active() != nil && (err != nil || !m.Labelled(t)) {
			out.Foreign++
			continue
		}
		if err != nil {
			return api.LabelsSet{}, err
		}
		cmd.Edits = append(cmd.Edits, coordinator.LabelEdit{Target: t, Text: l.Label})
	}
	done, err := node.Do(ctx, a, cmd)
	if err != nil {
		return api.LabelsSet{}, n.apiError(err)
	}
	out.Set, out.Unchanged = done.Changed, len(cmd.Edits)-done.Changed
	return out, nil
}

// labelTarget reads what a label is of: a txid, an outpoint or an address.
func (n *Node) labelTarget(ref string) (event.LabelTarget, error) {
	bad := api.Misuse("bad_ref", fmt.Sprintf("%.130q is no txid, no TXID:VOUT and no address of this network", ref), "see `quorate history`, `quorate coins`")
	txid, vout, output := strings.Cut(ref, ":")
	// An address of regtest may be as long as a txid.
	if !output && (len(ref) != 2*chainhash.HashSize || strings.Trim(strings.ToLower(ref), "0123456789abcdef") != "") {
		script, err := wallet.ParseAddress(ref, n.parts.Network)
		if err != nil {
			return event.LabelTarget{}, bad
		}
		return event.AddressTarget(script), nil
	}
	if len(txid) != 2*chainhash.HashSize {
		return event.LabelTarget{}, bad
	}
	id, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return event.LabelTarget{}, bad
	}
	if !output {
		return event.TxTarget(*id), nil
	}
	index, err := strconv.ParseUint(vout, 10, 32)
	if err != nil {
		return event.LabelTarget{}, bad
	}
	return event.OutputTarget(wire.OutPoint{Hash: *id, Index: uint32(index)}), nil
}
