package api

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type createWalletInput struct{ Body CreateWallet }

type joinWalletInput struct{ Body JoinWallet }

type ratifyWalletInput struct {
	WalletPath
	Body RatifyWallet
}

type archiveWalletInput struct {
	WalletPath
	Body ArchiveWallet
}

type rescanWalletInput struct {
	WalletPath
	Body RescanWallet
}

type renameWalletInput struct {
	WalletPath
	Body RenameWallet
}

type inviteInput struct {
	WalletPath
	Body InviteToWallet
}

type approveReplacementInput struct {
	WalletPath
	Body ApproveReplacement
}

type newAddressInput struct {
	WalletPath
	Body NewAddress
}

type walletList struct {
	WalletPath
	PageQuery
}

type historyInput struct {
	WalletPath
	PageQuery
	Since time.Time `query:"since" doc:"Only what is in a block of this time or later."`
	Until time.Time `query:"until" doc:"Only what is in a block of before this time; what is unconfirmed is left out then."`
}

func (s *Server) walletRoutes(h huma.API) {
	b := s.backend
	route(h, access.Read, get("list-wallets", "/v1/wallets", "List wallets"), func(ctx context.Context, in *PageQuery) (Page[WalletItem], error) {
		items, err := b.Wallets(ctx)
		items = slices.DeleteFunc(slices.Clone(items), func(x WalletItem) bool { return !callerOf(ctx).Sees(x.Wallet) })
		return listed(*in, func(x WalletItem) string { return x.Wallet }, items, err)
	})
	route(h, access.Manage, made(post("create-wallet", "/v1/wallets", "Found a wallet")), func(ctx context.Context, in *createWalletInput) (WalletInvites, error) {
		if (in.Body.From == "") != (in.Body.Threshold > 0 && in.Body.Cosigners > 0) || in.Body.From == "" && in.Body.Birthday != "" {
			return WalletInvites{}, Misuse("bad_request", "give threshold and cosigners of a new wallet, or the file of an existing one", "")
		}
		if in.Body.Threshold > in.Body.Cosigners {
			return WalletInvites{}, Misuse("bad_threshold", "the threshold is above the number of cosigners", "lower the threshold")
		}
		return b.CreateWallet(ctx, in.Body)
	})
	route(h, access.Manage, made(post("join-wallet", "/v1/wallets/join", "Join a wallet with an invite")), func(ctx context.Context, in *joinWalletInput) (WalletSummary, error) {
		ctx, stop := s.untilClosing(ctx)
		defer stop()
		return b.JoinWallet(ctx, in.Body)
	})
	route(h, access.Read, get("show-wallet", "/v1/wallets/{wallet}", "Show a wallet"), func(ctx context.Context, in *WalletPath) (Wallet, error) {
		return b.Wallet(ctx, in.Wallet)
	})
	route(h, access.Manage, post("ratify-wallet", "/v1/wallets/{wallet}/ratify", "Ratify the roster with the six words heard from every other cosigner"), func(ctx context.Context, in *ratifyWalletInput) (Ratified, error) {
		return b.RatifyWallet(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, made(post("invite-to-wallet", "/v1/wallets/{wallet}/invites", "Issue a fresh invite for a place that nobody took, or for a lost cosigner's new device")), func(ctx context.Context, in *inviteInput) (WalletInvites, error) {
		return b.InviteToWallet(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, post("approve-replacement", "/v1/wallets/{wallet}/replacements", "Take one of a cosigner's new devices for true"), func(ctx context.Context, in *approveReplacementInput) (WalletSummary, error) {
		return b.ApproveReplacement(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, post("abandon-wallet", "/v1/wallets/{wallet}/abandon", "Give up a wallet that is not active yet"), func(ctx context.Context, in *WalletPath) (WalletSummary, error) {
		return b.AbandonWallet(ctx, in.Wallet)
	})
	route(h, access.Manage, post("rekey-wallet", "/v1/wallets/{wallet}/rekey", "Begin a new epoch of the wallet's encryption now"), func(ctx context.Context, in *WalletPath) (WalletSummary, error) {
		return b.RekeyWallet(ctx, in.Wallet)
	})
	route(h, access.Manage, post("archive-wallet", "/v1/wallets/{wallet}/archive", "Put a wallet aside on this node, or take it up again"), func(ctx context.Context, in *archiveWalletInput) (WalletSummary, error) {
		return b.ArchiveWallet(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, post("rescan-wallet", "/v1/wallets/{wallet}/rescan", "Look at the chain again, from a block on"), func(ctx context.Context, in *rescanWalletInput) (WalletSummary, error) {
		return b.RescanWallet(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, post("rename-wallet", "/v1/wallets/{wallet}/rename", "Give a wallet another name on this node"), func(ctx context.Context, in *renameWalletInput) (WalletSummary, error) {
		return b.RenameWallet(ctx, in.Wallet, in.Body)
	})
	s.proofRoutes(h)
	route(h, access.Address, made(post("new-address", "/v1/wallets/{wallet}/addresses", "Lease a receiving address")), func(ctx context.Context, in *newAddressInput) (Address, error) {
		in.Body.RequestID = ownRequest(ctx, in.Body.RequestID)
		return b.NewAddress(ctx, in.Wallet, in.Body)
	})
	route(h, access.Read, get("list-coins", "/v1/wallets/{wallet}/coins", "List unspent outputs"), func(ctx context.Context, in *walletList) (Page[Coin], error) {
		items, err := b.Coins(ctx, in.Wallet)
		return listed(in.PageQuery, func(x Coin) string { return x.OutPoint }, items, err)
	})
	route(h, access.Read, get("list-history", "/v1/wallets/{wallet}/history", "List what moved the coins, newest first"), func(ctx context.Context, in *historyInput) (Page[HistoryItem], error) {
		return b.History(ctx, in.Wallet, HistoryQuery{Cursor: in.Cursor, Limit: in.Limit, Since: in.Since, Until: in.Until})
	})
	s.exportRoute(h)
	s.labelRoutes(h)
}
