package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// SignerBackend is what devices and other wallets that hold keys need of a node.
type SignerBackend interface {
	// Proof says what has to be signed before this node's external key is entered.
	Proof(ctx context.Context, wallet string) (Proof, error)
	// ProveWallet enters this node's external key, with its proof or without.
	ProveWallet(ctx context.Context, wallet string, r ProveWallet) (WalletSummary, error)
	// ExportPSBT hands a proposal out as a PSBT; the sign guard is durable before
	// it leaves, where this node's key may sign it elsewhere.
	ExportPSBT(ctx context.Context, proposal string, r ExportPSBT) (ExportedPSBT, error)
	// ImportPSBT takes in the signatures of a PSBT that are new and verify.
	ImportPSBT(ctx context.Context, r ImportPSBT) (ImportedPSBT, error)
}

// Proof is what shows, once signed, that somebody holds an external key.
type Proof struct {
	Wallet      string `json:"wallet"`
	Key         string `json:"key" doc:"The external key with its origin."`
	Message     string `json:"message" doc:"Sign this as a message, exactly as it stands."`
	Address     string `json:"address" doc:"The P2WPKH address to sign with."`
	Path        string `json:"path" doc:"Where the address is, from the master key."`
	Fingerprint string `json:"fingerprint" doc:"Fingerprint of the master key, 8 hex characters."`
	PSBT        string `json:"psbt" doc:"The same as a PSBT that can never be mined (BIP322), in base64."`
}

// ProveWallet gives a proof back.
type ProveWallet struct {
	Signature string `json:"signature,omitempty" maxLength:"16384" doc:"Signature of the message, or the signed PSBT, in base64."`
	Unproven  bool   `json:"unproven,omitempty" doc:"Go on without: the other cosigners see it and have to accept it."`
}

type proveWalletInput struct {
	WalletPath
	Body ProveWallet
}

func (s *Server) proofRoutes(h huma.API) {
	b := s.backend
	s.psbtRoutes(h)
	route(h, RoleRead, get("show-proof", "/v1/wallets/{wallet}/proof", "Show what proves this node's external key"), func(ctx context.Context, in *WalletPath) (Proof, error) {
		return b.Proof(ctx, in.Wallet)
	})
	route(h, RoleSign, post("prove-wallet", "/v1/wallets/{wallet}/proof", "Enter this node's external key with its proof"), func(ctx context.Context, in *proveWalletInput) (WalletSummary, error) {
		if (in.Body.Signature == "") != in.Body.Unproven {
			return WalletSummary{}, Misuse("bad_proof", "give either a signature or unproven", "")
		}
		return b.ProveWallet(ctx, in.Wallet, in.Body)
	})
}

// Proof implements Backend.
func (c *Client) Proof(ctx context.Context, wallet string) (Proof, error) {
	return onWallet(wallet, func() (Proof, error) {
		return fetch[Proof](ctx, c, path("wallets", wallet, "proof"), nil)
	})
}

// ProveWallet implements Backend.
func (c *Client) ProveWallet(ctx context.Context, wallet string, r ProveWallet) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "proof"), r)
	})
}
