package api

import (
	"context"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type exportLogInput struct {
	WalletPath
	Body ExportLog
}

type logInput struct {
	WalletPath
	Cursor   string    `query:"cursor" maxLength:"6000" doc:"The next of the page before."`
	Limit    int       `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most. A page may hold fewer and not be the last."`
	By       string    `query:"by" maxLength:"256" doc:"Only what this cosigner did: name, peer id, or fingerprint of the key."`
	Kind     []string  `query:"kind" maxItems:"64" doc:"Only entries of these kinds, with commas between."`
	Proposal string    `query:"proposal" maxLength:"64" doc:"Only what is about this proposal: its id or a unique prefix of 6 characters at least."`
	Since    time.Time `query:"since" doc:"Only what was written then or later, as its author claims."`
	Until    time.Time `query:"until" doc:"Only what was written before, as its author claims."`
}

func logRoutes(h huma.API, b LogBackend, s streams) {
	route(h, access.Read, get("list-log", "/v1/wallets/{wallet}/log", "List who did what, newest first"), func(ctx context.Context, in *logInput) (Page[LogEntry], error) {
		if in.Proposal != "" {
			if err := CheckProposal(in.Proposal, false); err != nil {
				return Page[LogEntry]{}, err
			}
		}
		return b.Log(ctx, in.Wallet, LogQuery{
			By: in.By, Kinds: in.Kind, Proposal: in.Proposal, Since: in.Since, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit,
		})
	})
	route(h, access.Read, get("show-presence", "/v1/wallets/{wallet}/presence", "Show which cosigners were seen, and whether enough can sign"), func(ctx context.Context, in *WalletPath) (Presence, error) {
		return b.Presence(ctx, in.Wallet)
	})
	op := post("export-log", "/v1/wallets/{wallet}/log/export", "Stream the log as a file that can be checked without a node")
	op.Description = "It holds the xpubs unless it is made without them: whoever has it knows every address of the wallet. One without its closing line is truncated."
	stream(s, h, access.Manage, op, LogContent, func(ctx context.Context, in *exportLogInput, w io.Writer) error {
		for _, p := range in.Body.Proposals {
			if err := CheckProposal(p, false); err != nil {
				return err
			}
		}
		return b.ExportLog(ctx, in.Wallet, in.Body, w)
	})
}
