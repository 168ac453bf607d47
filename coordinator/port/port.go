package port

import (
	"context"
	"io"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Store keeps everything that must survive a crash. One writer owns it.
type Store interface {
	// Commit makes a batch durable in one synced transaction: when it returns
	// nil, all of it survives kill -9 and power loss; on an error, none of it
	// is there. It returns ErrGuardConflict when the sign guard knows a txid
	// for an outpoint that the batch does not.
	Commit(ctx context.Context, b Batch) error
	// Walk calls yield for every entry of a group, each chain in order of seq,
	// having checked each entry's id; it stops at the first error.
	Walk(ctx context.Context, group journal.GroupID, yield func(*journal.Entry) error) error
	// Entry returns one entry by id, or ErrNotFound.
	Entry(ctx context.Context, group journal.GroupID, id journal.EntryID) (*journal.Entry, error)
	// Range returns the entries of one chain from seq on, in order: at most
	// limit of them and at most maxBytes in sum (but one at least, if there is one).
	// Where a seq is forked, every entry held at it is returned, lowest id first.
	Range(ctx context.Context, group journal.GroupID, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error)
	// Records returns the records whose key starts with prefix, by key. The
	// zero GroupID holds the node's own.
	Records(ctx context.Context, group journal.GroupID, prefix string) (map[string][]byte, error)
	// Guard returns every (outpoint, txid) this node ever signed for.
	Guard(ctx context.Context) ([]GuardRecord, error)
	// Notices returns the notices of the outbox with a number above after, lowest
	// first, at most limit of them. Commit gives them their numbers: higher than
	// any before, also over restarts, and in the order in which commits become
	// visible, so that who has seen a number is shown no lower one later.
	Notices(ctx context.Context, after uint64, limit int) (Notices, error)
	// TrimNotices drops what is beyond the limits, oldest first.
	TrimNotices(ctx context.Context, keep NoticeLimits) error
}

// Transport carries entries between members. It never decides what they mean.
type Transport interface {
	// Attach opens a group: its topics, its sync, its place in the gate. It may
	// be called again to change topics or members; live connections of peers
	// that are then in no group are closed.
	Attach(ctx context.Context, g GroupLink, in Inbox) error
	// Detach leaves a group.
	Detach(group journal.GroupID) error
	// Publish sends an entry to the group's current topic. An error means that
	// it could not be handed over; nil never means that it was delivered.
	Publish(ctx context.Context, e *journal.Entry) error
	// Sync exchanges frontiers with a connected member now (all of them when
	// peer is nil) and pulls what is missing. It does not wait for the end.
	Sync(group journal.GroupID, peer *journal.Author)
	// Join presents an invite to the member who issued it, and returns what that
	// one hands over; claim answers the challenge that it gave before, if any.
	Join(ctx context.Context, inv Invite, claim *event.SuccessionClaim) (Grant, error)
	// Peers returns what is known of every member and of pending strangers.
	Peers() []PeerStatus
}

// Inbox is what a transport calls for one group. It is safe for concurrent use.
type Inbox interface {
	Held
	// Receive takes a decoded and signature-checked entry. nil means that it is
	// stored (or was held already). Errors are the named reject and ignore
	// sentinels of this package (see IsReject); *GapError names what to pull first.
	Receive(ctx context.Context, from journal.Author, e *journal.Entry) error
	// ReceiveRun is Receive for entries in their order, which become durable
	// together where that is quicker. It returns what Receive would for each.
	ReceiveRun(ctx context.Context, from journal.Author, es []*journal.Entry) []error
	// PeerClaim records what a member says it holds. It is only a claim.
	PeerClaim(from journal.Author, c Claim)
}

// Held is what a node holds of one group, and lacks: what a transport serves and
// asks for.
type Held interface {
	// Claim returns this node's frontier and the fork evidence it holds.
	Claim() Claim
	// Entries serves a pull of one chain; see Store.Range.
	Entries(ctx context.Context, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error)
	// Entry serves a pull by id, or returns ErrNotFound.
	Entry(ctx context.Context, id journal.EntryID) (*journal.Entry, error)
	// Wanted returns ids of entries to be pulled by id (branches that somebody named).
	Wanted() []journal.EntryID
}

// Doorman answers strangers who present an invite. A transport asks it.
type Doorman interface {
	// Open says whether any invite is open, so that the gate may let a stranger
	// speak the join protocol and nothing else.
	Open() bool
	// Admit checks the proof of an invite: HMAC(secret, tag, group, joiner,
	// founder, nonce). It binds the invite durably to the first identity that
	// proves it. Errors: ErrInviteUnknown, ErrInviteUsed, ErrInviteExpired, ErrInviteProof.
	Admit(ctx context.Context, group journal.GroupID, joiner journal.Author, nonce [32]byte, proof [32]byte, claim *event.SuccessionClaim) (Grant, error)
}

// Chain is the Bitcoin network, as this node sees it. It is safe for concurrent use.
type Chain interface {
	// Tip returns the best block known.
	Tip(ctx context.Context) (BlockRef, error)
	// Follow streams the chain from the newest of the known blocks (oldest
	// first) that is still in the best chain: first Disconnected for those that
	// are not, newest first, then Connected for every block after it. With no
	// known block it starts after height `from`. Scripts are what to look for.
	Follow(ctx context.Context, known []BlockRef, from int32, scripts [][]byte) (Follower, error)
	// TestAccept says whether the backend's mempool would take the transaction;
	// ErrUnsupported when it cannot tell.
	TestAccept(ctx context.Context, tx *wire.MsgTx) error
	// Broadcast hands a transaction over, and says how it is known that it is or
	// already was there (mempool or block); it does not mean that it is mined.
	// ErrTxRejected when it is refused, ErrNotSeen when it was handed over and
	// nobody is known to have it yet.
	Broadcast(ctx context.Context, tx *wire.MsgTx) (Reach, error)
	// FeeRate estimates the fee rate for confirmation within target blocks;
	// ErrNoEstimate when the backend does not know.
	FeeRate(ctx context.Context, target int) (wallet.FeeRate, error)
	// Health says what the backend is, its height, the height it aims at, and
	// what is wrong and since when.
	Health() ChainHealth
}

// Dated is a Chain that knows when blocks were made without fetching them: one
// that may still be fetching headers when a wallet is made, so that the height
// of that moment is not known yet.
type Dated interface {
	Chain
	// HeightAt returns the height of a block made before a time, with at most a
	// few blocks between, or ErrNotSynced while the headers do not reach it.
	HeightAt(ctx context.Context, t time.Time) (int32, error)
}

// Follower is one wallet's stream of chain notices.
type Follower interface {
	// Close ends the stream.
	io.Closer
	// Watch adds scripts to look for from a height on; it does not wait. Blocks already streamed
	// at or above that height which may hold them are streamed again as Rescanned.
	Watch(ctx context.Context, scripts [][]byte, from int32) error
	// Expect names unconfirmed transactions that its owner knows of from an
	// earlier stream: they are told as Unseen like those that this one showed.
	Expect(txids []chainhash.Hash)
	// Notices is closed after Close, or when the context of Follow ends.
	Notices() <-chan ChainNotice
}

// Signer holds Bitcoin keys and answers for them. It never decides whether to sign.
type Signer interface {
	// AccountKey returns the public account key (BIP48) for a script type.
	AccountKey(ctx context.Context, st wallet.ScriptType, account uint32) (wallet.Key, error)
	// SignClaim signs what an account's own key may be made to say; it refuses a
	// claim of another key.
	SignClaim(ctx context.Context, st wallet.ScriptType, account uint32, claim event.KeyClaim) ([]byte, error)
	// SignSpend returns one partial signature for each input.
	SignSpend(ctx context.Context, st wallet.ScriptType, account uint32, s *wallet.Spend) ([]wallet.Signature, error)
}

// Detached is a Signer that may hold its keys in another process.
type Detached interface {
	Signer
	// Detached says that it does: the sign guard is then made durable before it
	// is asked, whatever becomes of this process.
	Detached() bool
	// MaySign asks whether it would sign a spend now, and has nothing signed: ErrCeiling where
	// its operator does not let it. Nothing has to be remembered of a question.
	MaySign(ctx context.Context, st wallet.ScriptType, account uint32, s *wallet.Spend) error
}

// Clock is the time and the entropy of a node.
type Clock interface {
	// Now returns the time.
	Now() time.Time
	// Entropy fills b with random bytes.
	Entropy(b []byte) error
}

// Observer is told of everything that changes, after it is durable. It must not block.
type Observer interface {
	// Notify tells of one change.
	Notify(n Notice)
}

// AddressBook keeps, across restarts, where members were last reached and what
// they signed of it. Keys are authors in hexadecimal; a value that is a multiaddr
// is an address without /p2p, and others are to be kept as they are.
type AddressBook interface {
	// Load returns what was saved last, or nothing.
	Load() (map[string][]string, error)
	// Save replaces what is kept.
	Save(map[string][]string) error
}
