package api

import (
	"context"
	"io"
)

// Backend is what the HTTP server asks of a node, and all of it. The server
// has checked the caller's role and the shape of the request; the backend
// checks everything else. Errors that are not *Error are shown as failures.
// A wallet is named by its id, a unique prefix of it, or its name; a proposal
// by its id or a unique prefix (6 characters at least, 32 where it acts).
type Backend interface {
	NodeBackend
	WalletBackend
	ProposalBackend
	ScheduleBackend
	SignerBackend
	ExportBackend
	LabelBackend
	LogBackend
	PingBackend
	RobotBackend
	FreezeBackend
	PolicyPastBackend
	PolicyBackend
}

// NodeBackend is the node itself.
type NodeBackend interface {
	// Status says what the node is and how it is.
	Status(ctx context.Context) (Status, error)
	// Peers lists the members of this node's wallets, connected or not.
	Peers(ctx context.Context) ([]Peer, error)
	// PendingPeers lists strangers who tried to connect and were refused.
	PendingPeers(ctx context.Context) ([]Peer, error)
	// AddPeer makes the address of a member known, and dials it.
	AddPeer(ctx context.Context, r AddPeer) (Peer, error)
	// Pending lists what waits for this node's user, over all wallets.
	Pending(ctx context.Context, q PendingQuery) (Page[Pending], error)
	// Subscribe streams everything that changes until ctx ends, and then closes
	// the channel. A subscriber that does not keep up loses events, or its
	// channel is closed early; nothing ever waits for it.
	Subscribe(ctx context.Context) (<-chan Event, error)
	// Events lists what happened after an event. What Subscribe streams is there
	// already, but what is Live, and what one member caused beyond its share.
	Events(ctx context.Context, q EventQuery) (EventPage, error)
	// Doctor looks at everything that the node holds, and says what is wrong.
	Doctor(ctx context.Context) (Examination, error)
	// Backup writes everything that a backup holds of the store, as of one
	// moment, in the form of package app/backup. It is secret and in plain.
	Backup(ctx context.Context, w io.Writer) error
}

// WalletBackend is the wallets of a node.
type WalletBackend interface {
	// Wallets lists all wallets.
	Wallets(ctx context.Context) ([]WalletItem, error)
	// Wallet shows one.
	Wallet(ctx context.Context, wallet string) (Wallet, error)
	// CreateWallet founds a wallet and returns one invite for each other cosigner.
	CreateWallet(ctx context.Context, r CreateWallet) (WalletInvites, error)
	// JoinWallet presents an invite. With r.Wait it returns when this node is
	// admitted and its record is in; without, when the attempt is durable.
	JoinWallet(ctx context.Context, r JoinWallet) (WalletSummary, error)
	// RatifyWallet ratifies the roster if the words are those of this node's
	// own roster, and refuses (words_differ) otherwise.
	RatifyWallet(ctx context.Context, wallet string, r RatifyWallet) (Ratified, error)
	// InviteToWallet issues a fresh invite for a place that nobody took or, with
	// r.Replace, for a new device of a member who lost his.
	InviteToWallet(ctx context.Context, wallet string, r InviteToWallet) (WalletInvites, error)
	// ApproveReplacement says that this cosigner takes a replacement for true.
	ApproveReplacement(ctx context.Context, wallet string, r ApproveReplacement) (WalletSummary, error)
	// AbandonWallet gives a wallet up that is not active yet.
	AbandonWallet(ctx context.Context, wallet string) (WalletSummary, error)
	// RekeyWallet makes a new epoch now: what is written from then on is sealed
	// under a new secret.
	RekeyWallet(ctx context.Context, wallet string) (WalletSummary, error)
	// ArchiveWallet puts a wallet aside on this node, or takes it up again.
	ArchiveWallet(ctx context.Context, wallet string, r ArchiveWallet) (WalletSummary, error)
	// RescanWallet looks at the chain again, from a block on.
	RescanWallet(ctx context.Context, wallet string, r RescanWallet) (WalletSummary, error)
	// RenameWallet changes what this node calls a wallet.
	RenameWallet(ctx context.Context, wallet string, r RenameWallet) (WalletSummary, error)
	// NewAddress leases a receiving address, or shows the next one.
	NewAddress(ctx context.Context, wallet string, r NewAddress) (Address, error)
	// Addresses lists the receiving addresses that were handed out or paid, newest first.
	Addresses(ctx context.Context, wallet string, q AddressQuery) (Page[AddressItem], error)
	// Coins lists the unspent outputs.
	Coins(ctx context.Context, wallet string) ([]Coin, error)
	// History lists the transactions that moved the wallet's coins, newest first.
	History(ctx context.Context, wallet string, q HistoryQuery) (Page[HistoryItem], error)
}

// ProposalBackend is the proposals of a node's wallets.
type ProposalBackend interface {
	// Preview says what Propose would come to, and changes nothing.
	Preview(ctx context.Context, wallet string, r Propose) (Draft, error)
	// Propose creates a proposal and, unless r.Unsigned, approves it.
	Propose(ctx context.Context, wallet string, r Propose) (Proposed, error)
	// Proposals lists the proposals of a wallet, newest first.
	Proposals(ctx context.Context, wallet string, q ProposalQuery) (Page[Proposal], error)
	// Proposal shows one.
	Proposal(ctx context.Context, proposal string) (Proposal, error)
	// Approve signs, after every check has passed or was overridden by name.
	Approve(ctx context.Context, proposal string, r Approve) (Proposal, error)
	// Reject votes against. A signature already released stays in force.
	Reject(ctx context.Context, proposal string, r Reject) (Proposal, error)
	// Comment says something about a proposal to all cosigners. It decides nothing.
	Comment(ctx context.Context, proposal string, r Comment) (Proposal, error)
	// Withdraw takes this node's own proposal back. Signatures already released stay in force.
	Withdraw(ctx context.Context, proposal string) (Proposal, error)
	// Tx returns the transaction of a final proposal; Denied (not_final) before.
	Tx(ctx context.Context, proposal string) (Tx, error)
}
