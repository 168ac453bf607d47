package apitest

import (
	"context"

	"github.com/quorate/quorate/api"
)

// Proof implements api.Backend.
func (b *Backend) Proof(_ context.Context, ref, hosted string) (api.Proof, error) {
	return *toSign("quorate key proof"), b.wallet("Proof", ref, hosted)
}

func toSign(message string) *api.Proof {
	return &api.Proof{
		Wallet: WalletID, Key: "[aabbccdd/48h/1h/0h/2h]tpubA", Message: message, Address: Address,
		Path: "m/48h/1h/0h/2h/0/0", Fingerprint: "aabbccdd", PSBT: "cHNidP8=",
	}
}

// HostCosigner implements api.Backend.
func (b *Backend) HostCosigner(_ context.Context, ref string, r api.HostCosigner) (api.WalletSummary, error) {
	return summary("forming"), b.wallet("HostCosigner", ref, r)
}

// ProveWallet implements api.Backend.
func (b *Backend) ProveWallet(_ context.Context, ref string, r api.ProveWallet) (api.WalletSummary, error) {
	return summary("forming"), b.wallet("ProveWallet", ref, r)
}

// ExportPSBT implements api.Backend.
func (b *Backend) ExportPSBT(_ context.Context, ref string, r api.ExportPSBT) (api.ExportedPSBT, error) {
	_, err := b.proposal("ExportPSBT", ref, r)
	return api.ExportedPSBT{
		Proposal: ProposalID, Wallet: WalletID, TxID: TxID, Version: r.Version, PSBT: "cHNidP8BAAoCAAAAAAAAAAAAAA==", Guarded: r.ForSigning,
		Missing: []string{TxID},
	}, err
}

// ImportPSBT implements api.Backend.
func (b *Backend) ImportPSBT(_ context.Context, r api.ImportPSBT) (api.ImportedPSBT, error) {
	return api.ImportedPSBT{
		Proposal: ProposalID, Wallet: WalletID, TxID: TxID, Status: api.StatusFinal,
		Added: []api.AddedSignatures{{Cosigner: Person("bob"), Signatures: 1}}, Known: 1, Signed: 2, Threshold: 2,
	}, b.called("ImportPSBT", r)
}
