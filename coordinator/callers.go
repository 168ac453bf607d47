package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
)

// This file is for the callers of the coordinator: names under which they know
// what the rooms below it hold. This package itself names each thing by its room,
// and no caller may need what is not here.

// Of package port: the ports, and what crosses them.
type (
	Store     = port.Store
	Transport = port.Transport
	Inbox     = port.Inbox
	Chain     = port.Chain
	Dated     = port.Dated
	Follower  = port.Follower
	Signer    = port.Signer
	Observer  = port.Observer

	Batch       = port.Batch
	GuardRecord = port.GuardRecord
	GuardUpdate = port.GuardUpdate
	Notice      = port.Notice

	GroupLink  = port.GroupLink
	Claim      = port.Claim
	Grant      = port.Grant
	Invite     = port.Invite
	PeerStatus = port.PeerStatus
	GapError   = port.GapError

	BlockRef    = port.BlockRef
	ChainNotice = port.ChainNotice
	ChainHealth = port.ChainHealth
)

// The kinds of notices of the chain.
const (
	Connected    = port.Connected
	Disconnected = port.Disconnected
	Rescanned    = port.Rescanned
	Seen         = port.Seen
	CaughtUp     = port.CaughtUp
	Unseen       = port.Unseen
)

// Errors of the ports.
var (
	RejectSignature = port.RejectSignature
	IgnoreAuthor    = port.IgnoreAuthor

	ErrNotFound      = port.ErrNotFound
	ErrGuardConflict = port.ErrGuardConflict
	ErrUnsupported   = port.ErrUnsupported
	ErrNoEstimate    = port.ErrNoEstimate
	ErrTxRejected    = port.ErrTxRejected
	ErrInviteUnknown = port.ErrInviteUnknown
	ErrInviteUsed    = port.ErrInviteUsed
	ErrInviteExpired = port.ErrInviteExpired
	ErrInviteProof   = port.ErrInviteProof
	ErrInviteFormat  = port.ErrInviteFormat
)

// IsReject is port.IsReject.
func IsReject(err error) bool { return port.IsReject(err) }

// ParseInvite is port.ParseInvite.
func ParseInvite(s string) (port.Invite, error) { return port.ParseInvite(s) }

// Of package ledger: what this node sees of the chain.
type (
	View         = ledger.View
	ViewOut      = ledger.ViewOut
	HistoryPos   = ledger.HistoryPos
	AddressRange = ledger.AddressRange
	LookedBack   = ledger.LookedBack
	LookedBlock  = ledger.LookedBlock
)

// Of package event: what members say to each other.
type (
	Event   = event.Event
	Body    = event.Body
	Genesis = event.Genesis

	GroupCreated       = event.GroupCreated
	MemberAdmitted     = event.MemberAdmitted
	MemberRecord       = event.MemberRecord
	RosterClosed       = event.RosterClosed
	RosterRevealed     = event.RosterRevealed
	RosterRatified     = event.RosterRatified
	EpochRotated       = event.EpochRotated
	Stanza             = event.Stanza
	StanzaFailed       = event.StanzaFailed
	IncarnationStarted = event.IncarnationStarted
	EntriesNamed       = event.EntriesNamed
	AddressLeased      = event.AddressLeased

	ProposalCreated    = event.ProposalCreated
	ProposalInput      = event.ProposalInput
	ProposalOutput     = event.ProposalOutput
	ProposalApproved   = event.ProposalApproved
	ProposalRejected   = event.ProposalRejected
	ProposalWithdrawn  = event.ProposalWithdrawn
	RejectionWithdrawn = event.RejectionWithdrawn
	SignatureCarried   = event.SignatureCarried
	PartialSignature   = event.PartialSignature

	MemberReplaced      = event.MemberReplaced
	ReplacedCut         = event.ReplacedCut
	ReplacementApproved = event.ReplacementApproved
	Challenge           = event.Challenge
	ReplacementClaim    = event.ReplacementClaim

	LabelSet    = event.LabelSet
	LabelTarget = event.LabelTarget

	ProofKind = event.ProofKind
	KeyClaim  = event.KeyClaim
	Replaced  = event.Replaced
)

// Kinds and bounds of events.
const (
	MaxCosigners = event.MaxCosigners

	LabelTx      = event.LabelTx
	LabelAddress = event.LabelAddress
	LabelOutput  = event.LabelOutput

	ProofMessage = event.ProofMessage
	ProofBIP322  = event.ProofBIP322
	ProofPSBT    = event.ProofPSBT
	ProofNone    = event.ProofNone
)

// ErrEvent is event.ErrEvent.
var ErrEvent = event.ErrEvent

// EncodeEvent is event.Encode.
func EncodeEvent(e event.Event) ([]byte, error) { return event.Encode(e) }

// DecodeEvent is event.Decode.
func DecodeEvent(b []byte) (event.Event, error) { return event.Decode(b) }

// EncodeGenesis is event.EncodeGenesis.
func EncodeGenesis(g event.Genesis) ([]byte, error) { return event.EncodeGenesis(g) }

// TxTarget is event.TxTarget.
func TxTarget(id chainhash.Hash) event.LabelTarget { return event.TxTarget(id) }

// AddressTarget is event.AddressTarget.
func AddressTarget(script []byte) event.LabelTarget { return event.AddressTarget(script) }

// OutputTarget is event.OutputTarget.
func OutputTarget(o wire.OutPoint) event.LabelTarget { return event.OutputTarget(o) }

// Of package group: what the entries say.
type (
	State    = group.State
	Self     = group.Self
	Ref      = group.Ref
	Active   = group.Active
	Roster   = group.Roster
	Member   = group.Member
	Record   = group.Record
	Proposal = group.Proposal
	Status   = group.Status
	Label    = group.Label
	Inert    = group.Inert
	Digest   = group.Digest
)

// The statuses of a proposal.
const (
	StatusPending   = group.StatusPending
	StatusFinal     = group.StatusFinal
	StatusBroadcast = group.StatusBroadcast
	StatusConfirmed = group.StatusConfirmed
	StatusReplaced  = group.StatusReplaced
	StatusRejected  = group.StatusRejected
	StatusWithdrawn = group.StatusWithdrawn
	StatusExpired   = group.StatusExpired
	StatusDead      = group.StatusDead
)

// AlarmReader is group.AlarmReader.
const AlarmReader = group.AlarmReader
