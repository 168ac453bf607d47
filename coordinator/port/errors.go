package port

import "errors"

// Errors of the ports.
var (
	// ErrNotFound is returned when a store or a source does not hold what was asked for.
	ErrNotFound = errors.New("not found")
	// ErrGuardConflict is returned by Store.Commit when this node already
	// signed another transaction for an outpoint that the caller did not know of.
	ErrGuardConflict = errors.New("sign guard: another transaction was signed for this coin")
	// ErrUnsupported is returned by a backend that cannot do what was asked.
	ErrUnsupported = errors.New("not supported by this backend")
	// ErrNoEstimate is returned when no fee estimate is known.
	ErrNoEstimate = errors.New("fee rate unknown")
	// ErrTxRejected is returned when a chain backend refuses a transaction.
	ErrTxRejected = errors.New("transaction refused by the Bitcoin node")
	// ErrNotSynced is returned by a backend that does not know the chain so far yet.
	ErrNotSynced = errors.New("the chain is not synced so far yet")
	// ErrNotSeen is returned when a transaction was handed over and no node has
	// shown it back yet.
	ErrNotSeen = errors.New("the transaction was not seen in the network yet")
	// ErrNoSpace is returned by a store when what it keeps in reserve would not be
	// left on the disk. Nothing was written.
	ErrNoSpace = errors.New("disk is full")
	// ErrNoSeed is returned by the signer of a node that was made without a seed.
	ErrNoSeed = errors.New("this node has no seed")
	// ErrCeiling is returned by a signer whose operator does not let it sign that. Nothing was signed.
	ErrCeiling = errors.New("the operator of the signer does not let it sign this: its log says why")
	// ErrNotMember is returned for a peer that is in no group of this node.
	ErrNotMember = errors.New("the peer is not a member of a group of this node")
	// ErrFounderAway is returned where the founder of an invite was not reached.
	ErrFounderAway = errors.New("the founder cannot be reached")
	// ErrNoOpenInvite is returned where the founder was reached, and ended the
	// connection. It lets strangers in only while an invite is open, and only a
	// few at once; it tells strangers no more than that.
	ErrNoOpenInvite = errors.New("the founder's node does not let this one in: no invite is open there, or too many ask at this moment")
	// Outcomes of presenting an invite.
	ErrInviteUnknown = errors.New("invite is not known here")
	ErrInviteUsed    = errors.New("invite was used by another node")
	ErrInviteExpired = errors.New("invite has expired")
	ErrInviteProof   = errors.New("proof of the invite is wrong")
)
