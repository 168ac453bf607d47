package coordinator

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Input is one thing that happens to a wallet: a message, the time, and the
// entropy that Step may use up for it.
type Input struct {
	Now     time.Time
	Entropy [32]byte
	// ChainAge is how long ago the chain backend was last seen to be synced, 0 where it is.
	ChainAge time.Duration
	// Policy is what the chain backend's mempool takes.
	Policy port.Policy
	Msg    Message
}

// EntryIn is an entry whose signature was checked.
type EntryIn struct{ Entry *journal.Entry }

// ClaimIn is what a member says it holds.
type ClaimIn struct {
	From  journal.Author
	Claim port.Claim
}

// ChainIn is a notice from the chain follower.
type ChainIn struct{ Notice port.ChainNotice }

// Born tells the height before which the wallet cannot have been paid, once it
// is known.
type Born struct{ Height int32 }

// Watched says that the follower has taken a WatchScripts effect, as its Call-th:
// a CaughtUp that covers so many comes after its rescan.
type Watched struct{ Call uint64 }

// LookedBackIn is the result of a LookBack effect.
type LookedBackIn struct{ Found ledger.LookedBack }

// Broadcasted is the result of a Broadcast effect.
type Broadcasted struct {
	TxID chainhash.Hash
	// Reach is how the backend knows that the network has it.
	Reach port.Reach
	Err   error
}

// Tick lets time pass. Online are the members connected now.
type Tick struct{ Online []journal.Author }

// Started is the first message after a machine was restored.
type Started struct{}

// Admit presents the proof of an invite (see Doorman). The reply is a Grant.
type Admit struct {
	Joiner journal.Author
	Nonce  [32]byte
	Proof  [32]byte
	// Claim answers the challenge of an invite that replaces a member.
	Claim *event.SuccessionClaim
}

// ApproveSuccession takes a replacement for true, by its id.
type ApproveSuccession struct{ Succession [32]byte }

// InviteLife is how long an invite is open.
const InviteLife = 7 * 24 * time.Hour

// NewInvite asks for a further invite. The reply is an Invite.
type NewInvite struct {
	Addresses []string
	Expires   time.Time
	// Replace names the member whose place it is for, in an active wallet.
	Replace *journal.Author
	Online  bool // its node is connected now
	Allow   []string
}

// Ratify says that a human heard these words from every other cosigner.
type Ratify struct {
	Words string
	// AcceptUnproven: keys of others that nothing proves are accepted.
	AcceptUnproven bool
	// AcceptHosted: cosigners without a node, whom others host, are accepted.
	AcceptHosted bool
	// For names a cosigner that this node hosts, who heard them too.
	For string
}

// Prove enters this node's external key, or that of a cosigner it hosts, with its proof.
type Prove struct {
	Name  string // of this cosigner
	For   string // of a hosted one, or ""
	How   event.ProofKind
	Proof []byte
}

// ChangeKey takes another external key, as long as none is entered. Allow may name
// key_origin.
type ChangeKey struct {
	Key   string
	Allow []string
}

// Abandon gives up a group that is not active.
type Abandon struct{ Reason string }

// LeaseAddress asks for a receive address. The reply is a Lease.
type LeaseAddress struct {
	Peek, BeyondGap bool
	// RequestID, if set, makes it repeatable: the same id gives the same address.
	RequestID string
}

// Lease is a receive address.
type Lease struct {
	Address string
	Index   uint32
}

// UpTo is up to which fee this node may sign transactions that bump a proposal by itself.
type UpTo struct {
	Fee   int64     // the whole fee, in satoshis; 0 ends it
	Until time.Time // zero: as long as the proposal lives, or MaxUpTo
}

// of is what an approval of a proposal says: until the proposal expires where nothing is said.
func (x UpTo) of(p *group.Proposal, now time.Time) event.BumpUpTo {
	until := now.Add(MaxUpTo)
	if e := p.Body.Expires; e != 0 && time.Unix(e, 0).Before(until) {
		until = time.Unix(e, 0)
	}
	if !x.Until.IsZero() {
		until = x.Until
	}
	return event.BumpUpTo{Fee: x.Fee, Until: until.Unix()}
}

// MaxUpTo is how long an approval may agree to bumps at most.
const MaxUpTo = 14 * 24 * time.Hour

// SignBump signs a bump that its user agreed to before, if everything that has to hold
// still does. A Turn sends it after a Tick (see DueBump).
type SignBump struct{ Proposal journal.EntryID }

// Judge has a robot decide about a proposal. A Turn sends it: see dueVerdicts.
type Judge struct{ Proposal journal.EntryID }

// FollowPolicy has a robot say what it has to say of a policy: that it has its votes, or that
// it follows it. A Turn sends it.
type FollowPolicy struct{}

// PauseRobot stops this robot, or has it go on.
type PauseRobot struct{ Paused bool }

// Remark comments on a proposal. It decides nothing.
type Remark struct {
	Proposal journal.EntryID
	Text     string
	Allow    []string
	// RequestID, if set, makes it repeatable: the same id says it once.
	RequestID string
}

// Propose asks for a transaction. The reply is a Proposed.
type Propose struct {
	Outputs   []event.ProposalOutput
	FeeRate   wallet.FeeRate
	Coins     []wire.OutPoint
	Note      string
	Expires   time.Time // zero = never
	Replaces  []journal.EntryID
	Unsigned  bool
	RequestID string
	// Terms is what else was asked for, in the words of whoever asked: a request id
	// stands for it, too.
	Terms string
	Allow []string
	// Follows says what it is made from; the outputs, coins and what it replaces are not
	// given then.
	Follows FollowUp
	// All is the number, counted from 1, of the output that gets all that the wallet can
	// spend, after the others and the fee; 0 for none. Its Amount is 0.
	All int
	// FeeFrom are the numbers, counted from 1, of outputs that pay the fee in equal parts.
	FeeFrom []int
	// Occasion is the period of a schedule of this node that it is made for, or nil.
	Occasion *recurring.Occasion
	// Shown is what a Preview said, to propose just that or nothing; nil for whatever
	// comes out.
	Shown *Shown
}

// Shown is what a person was shown of a payment before it is proposed: the draw that
// chose its coins, and a digest of all that would be signed.
type Shown struct {
	Seed, Digest [32]byte
}

// Proposed is the reply to Propose: the new proposal, or the one that the same
// request id gave before.
type Proposed struct{ Proposal journal.EntryID }

// Approve asks this node to sign a proposal.
type Approve struct {
	Proposal journal.EntryID
	Allow    []string
	// TxID is the transaction that its user was shown; zero for whichever it is.
	TxID chainhash.Hash
	// UpTo agrees to bumps beforehand, or ends that; nil says nothing of them.
	UpTo *UpTo
}

// Reject votes against a proposal.
type Reject struct {
	Proposal journal.EntryID
	Reason   string
}

// Withdraw takes this node's own proposal back.
type Withdraw struct{ Proposal journal.EntryID }

// Guarded says that the sign guard holds these already: they were made durable
// before a signer in another process was asked.
type Guarded struct{ Updates []port.GuardUpdate }

// Signed is the result of a Sign effect: the command that asked for it, the
// proposal as drafted, and the signatures, or the proof of a claim.
type Signed struct {
	Cmd        needsSignatures
	Draft      *event.ProposalCreated
	Signatures []wallet.Signature
	Proof      []byte // of a claim
	Err        error
}

// Effect is something the shell does after Step, in order. Persist comes
// first: when it fails, the machine stays as it was and nothing else is done.
type Effect interface{ effect() }

// Persist makes a batch durable.
type Persist struct{ Batch port.Batch }

// Publish hands an entry to the transport.
type Publish struct{ Entry *journal.Entry }

// Link tells the transport about topics and members.
type Link struct{ Link port.GroupLink }

// AskSync asks the transport to exchange frontiers with all members now.
type AskSync struct{}

// Sign asks the Signer. Its result is fed back as Signed before anything else.
type Sign struct {
	Spend *wallet.Spend
	// Claim, if set, is to be signed instead of a spend, by the account key itself.
	Claim *event.KeyClaim
	// Guard must be durable before a Signer in another process is asked: what it
	// has signed may be known elsewhere, whatever becomes of this process.
	Guard  []port.GuardUpdate
	Signed Signed
}

// Follow starts the chain follower.
type Follow port.Follow

// WatchScripts adds scripts to the follower.
type WatchScripts port.Watch

// Broadcast hands a final transaction to the chain. Its result is Broadcasted.
type Broadcast struct{ Tx *wire.MsgTx }

// Tell notifies the observer.
type Tell struct{ Notice port.Notice }

// Reply answers the command.
type Reply struct{ Value any }

// Stored answers an entry: whether it was new.
type Stored struct{ New bool }

func (Persist) effect()      {}
func (Publish) effect()      {}
func (Link) effect()         {}
func (AskSync) effect()      {}
func (Sign) effect()         {}
func (Follow) effect()       {}
func (WatchScripts) effect() {}
func (Broadcast) effect()    {}
func (Tell) effect()         {}
func (Reply) effect()        {}

// CosignerKey is this node's Bitcoin key for a new group, and a function that
// proves possession of it: a signature by the key itself over a claim. For a key
// whose private part lives elsewhere it is nil: the record then waits for Prove.
type CosignerKey struct {
	Account uint32
	Key     wallet.Key
	Prove   func(event.KeyClaim) ([]byte, error)
}
