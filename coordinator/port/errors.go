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
	// Outcomes of presenting an invite.
	ErrInviteUnknown = errors.New("invite is not known here")
	ErrInviteUsed    = errors.New("invite was used by another node")
	ErrInviteExpired = errors.New("invite has expired")
	ErrInviteProof   = errors.New("proof of the invite is wrong")
)
