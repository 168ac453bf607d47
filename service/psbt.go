package service

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// ExportPSBT hands a proposal out as a PSBT. What this node's key may sign with
// it is in the sign guard before it leaves.
func (n *Node) ExportPSBT(ctx context.Context, ref string, r api.ExportPSBT) (api.ExportedPSBT, error) {
	a, p, err := n.proposal(ref, true)
	if err != nil {
		return api.ExportedPSBT{}, err
	}
	// First made, then allowed: a guard for a file that never was would only be in the way.
	packet, missing, err := a.Machine().PSBT(p, r.Version)
	if err != nil {
		return api.ExportedPSBT{}, n.apiError(err)
	}
	raw, err := packet.Bytes()
	if err != nil {
		return api.ExportedPSBT{}, n.apiError(err)
	}
	done, err := node.Do(ctx, a, coordinator.Export{Proposal: p.ID(), ForSigning: r.ForSigning, Allow: r.Allow})
	if err != nil {
		return api.ExportedPSBT{}, n.apiError(err)
	}
	out := api.ExportedPSBT{
		Proposal: p.ID().String(), Wallet: a.Group().String(), TxID: p.TxID.String(), Version: r.Version,
		PSBT: base64.StdEncoding.EncodeToString(raw), Guarded: done.Guarded,
	}
	for _, id := range missing {
		out.Missing = append(out.Missing, id.String())
	}
	if !done.Guarded {
		for _, w := range a.Machine().Warn(p, time.Now(), n.co.ChainAge(), n.parts.Chain.Health().Policy) {
			out.Warnings = append(out.Warnings, api.Warning{Code: w.Rule, Message: w.Text})
		}
	}
	return out, nil
}

// ImportPSBT takes in what was signed elsewhere, of whatever wallet of this
// node it is.
func (n *Node) ImportPSBT(ctx context.Context, r api.ImportPSBT) (api.ImportedPSBT, error) {
	packet, err := psbt.ParseSigned([]byte(r.PSBT))
	if err != nil {
		return api.ImportedPSBT{}, BadPSBT(err)
	}
	if err := n.checkNetwork(packet); err != nil {
		return api.ImportedPSBT{}, err
	}
	// A wallet that knows the coins need not be the one with the proposal: what it
	// says counts where no other has it.
	var unmatched error
	for _, a := range n.co.Wallets() {
		p, sigs, err := a.Machine().MatchPSBT(packet)
		if errors.Is(err, coordinator.ErrForeignPSBT) {
			continue
		}
		if err != nil {
			if unmatched == nil {
				unmatched = err
			}
			continue
		}
		done, err := node.Do(ctx, a, coordinator.Import{Proposal: p.ID(), Signatures: sigs, Look: r.DryRun, Allow: r.Allow})
		if err != nil {
			return api.ImportedPSBT{}, n.apiError(err)
		}
		if used, ok := a.Machine().State.Proposal(done.Proposal); ok {
			p = used // another entry of the same transaction
		}
		return n.imported(a, p, done), nil
	}
	if unmatched != nil {
		return api.ImportedPSBT{}, n.apiError(unmatched)
	}
	return api.ImportedPSBT{}, api.Refuse("foreign_psbt", "the PSBT spends no coin of a wallet of this node: it is of another wallet", "see `quorate proposals WALLET` for what can be signed here")
}

func (n *Node) imported(a *node.Actor, p *group.Proposal, done coordinator.Imported) api.ImportedPSBT {
	m := a.Machine()
	shown := n.show(a, p)
	out := api.ImportedPSBT{
		Proposal: shown.Proposal, Wallet: shown.Wallet, TxID: shown.TxID, Status: shown.Status,
		Known: done.Known, Signed: shown.Signed, Threshold: shown.Threshold,
	}
	for k, x := range m.State.Active().Members {
		if count := done.Added[uint32(k)]; count > 0 {
			out.Added = append(out.Added, api.AddedSignatures{Cosigner: person(x), Signatures: count, Own: x.Identity == m.State.Me()})
		}
	}
	return out
}

// BadPSBT is the error of a PSBT that could not be read, with what to do: an *api.Error.
func BadPSBT(err error) error {
	hint := "give a PSBT of version 0 or 2 in base64, hex or binary, or the finished transaction"
	if errors.Is(err, psbt.ErrTruncated) {
		hint = "it is cut short: copy or scan all of it"
	}
	return api.Misuse("bad_psbt", "the PSBT could not be read: "+err.Error(), hint)
}

// checkNetwork tells a PSBT of mainnet from one of a test network, where it
// names account keys.
func (n *Node) checkNetwork(p *psbt.Packet) error {
	for _, x := range p.XPubs {
		if mainnet, known := wallet.VersionNetwork(binary.BigEndian.Uint32(x.Key[:])); known && mainnet != (n.parts.Network == wallet.Mainnet) {
			return api.Refuse("wrong_network", "the PSBT is for another network than this node, which is on "+string(n.parts.Network), "import it on a node of its network")
		}
	}
	return nil
}
