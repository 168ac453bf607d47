package ledger

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
)

// Unsent is why a transaction of ours, which has all it needs, is not in the network.
// It lasts until the network shows the transaction, and is learned anew after a start.
type Unsent struct {
	// Kind is one of the kinds of alarms.
	Kind string
	// Reason is in the words of the backend.
	Reason string
	// Since is when the first try failed so, in Unix seconds.
	Since int64
	// Refused: the backend will not take it as it is. What spends its outputs will not
	// be taken either.
	Refused bool
	// Told: a person was.
	Told bool
}

// NotSent keeps why a transaction was not sent.
func (v View) NotSent(id chainhash.Hash, u Unsent) View {
	v.unsent = v.unsent.Set(mapkey.Of(id), u)
	return v
}

// Unsent says why a transaction was not sent; false where it was, or was not tried.
func (v View) Unsent(id chainhash.Hash) (Unsent, bool) { return v.unsent.Get(mapkey.Of(id)) }

// AllUnsent yields those that were not.
func (v View) AllUnsent(yield func(chainhash.Hash, Unsent) bool) {
	for k, u := range v.unsent.All() {
		if !yield(chainhash.Hash([]byte(k)), u) {
			return
		}
	}
}

// Sent forgets why a transaction was not.
func (v View) Sent(id chainhash.Hash) View {
	v.unsent = v.unsent.Delete(mapkey.Of(id))
	return v
}

// Refused says whether the backend refuses a transaction as it is, or one in no block
// that it rests on.
func (v View) Refused(id chainhash.Hash) bool {
	if v.unsent.Len() == 0 {
		return false
	}
	for at := range v.Above(id) {
		if u, ok := v.Unsent(at); ok && u.Refused {
			return true
		}
	}
	return false
}
