package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// ExportPSBT asks for a proposal as a PSBT.
type ExportPSBT struct {
	Version    int      `json:"psbt_version,omitempty" enum:"0,2" doc:"PSBT version; 0 where left out."`
	ForSigning bool     `json:"for_signing,omitempty" doc:"It will be signed with this node's key; always so where that key is external."`
	Allow      []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to override, by name."`
}

// ExportedPSBT is a proposal as a PSBT.
type ExportedPSBT struct {
	Proposal string        `json:"proposal"`
	Wallet   string        `json:"wallet"`
	TxID     string        `json:"txid"`
	Version  int           `json:"psbt_version"`
	PSBT     string        `json:"content" doc:"The PSBT, in base64."`
	Guarded  bool          `json:"guarded" doc:"The transaction counts as signed by this node's key from here on."`
	Missing  List[string]  `json:"missing" doc:"Previous transactions that this node does not have, and that are not in it."`
	Warnings List[Warning] `json:"warnings" doc:"What this node would have the user know before anybody signs."`
}

// ImportPSBT brings a signed PSBT.
type ImportPSBT struct {
	PSBT   string   `json:"psbt" minLength:"1" maxLength:"1000000" doc:"In base64 or hex."`
	DryRun bool     `json:"dry_run,omitempty" doc:"Verify it and say what it would bring; enter nothing."`
	Allow  []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to override, by name, for signatures by this node's key."`
}

// ImportedPSBT is what a PSBT brought.
type ImportedPSBT struct {
	Proposal  string                `json:"proposal"`
	Wallet    string                `json:"wallet"`
	TxID      string                `json:"txid"`
	Status    string                `json:"status" enum:"pending,final,broadcast,confirmed,conflicted,dead,withdrawn,rejected,expired,replaced"`
	Added     List[AddedSignatures] `json:"added" doc:"Signatures that are new, by the cosigner whose key they are by."`
	Known     int                   `json:"known_count" doc:"Signatures that were held already."`
	Signed    int                   `json:"signed_count" doc:"Cosigners who signed all of it."`
	Threshold int                   `json:"threshold" doc:"How many must sign."`
}

// AddedSignatures are one cosigner's.
type AddedSignatures struct {
	Cosigner   Person `json:"cosigner"`
	Signatures int    `json:"signature_count"`
	Own        bool   `json:"own" doc:"By this node's key: entered as its approval."`
}

type exportPSBTInput struct {
	ProposalPath
	Body ExportPSBT
}

type importPSBTInput struct{ Body ImportPSBT }

func (s *Server) psbtRoutes(h huma.API) {
	b := s.backend
	route(h, access.Sign, post("export-psbt", "/v1/proposals/{proposal}/psbt", "Hand a proposal out as a PSBT; the sign guard comes first"), func(ctx context.Context, in *exportPSBTInput) (ExportedPSBT, error) {
		if err := s.limits.unlimited(ctx); err != nil {
			return ExportedPSBT{}, err
		}
		return withPSBT(in, func() (ExportedPSBT, error) { return b.ExportPSBT(ctx, in.Proposal, in.Body) })
	})
	route(h, access.Sign, post("import-psbt", "/v1/psbt", "Take in a PSBT that was signed elsewhere"), func(ctx context.Context, in *importPSBTInput) (ImportedPSBT, error) {
		if err := s.limits.unlimited(ctx); err != nil {
			return ImportedPSBT{}, err
		}
		return b.ImportPSBT(ctx, in.Body)
	})
}

func withPSBT(in *exportPSBTInput, do func() (ExportedPSBT, error)) (ExportedPSBT, error) {
	if err := CheckProposal(in.Proposal, true); err != nil {
		return ExportedPSBT{}, err
	}
	return do()
}

// ExportPSBT implements Backend.
func (c *Client) ExportPSBT(ctx context.Context, proposal string, r ExportPSBT) (ExportedPSBT, error) {
	return onProposal(proposal, true, func() (ExportedPSBT, error) {
		return send[ExportedPSBT](ctx, c, path("proposals", proposal, "psbt"), r)
	})
}

// ImportPSBT implements Backend.
func (c *Client) ImportPSBT(ctx context.Context, r ImportPSBT) (ImportedPSBT, error) {
	return send[ImportedPSBT](ctx, c, path("psbt"), r)
}
