package port

import "github.com/quorate/quorate/coordinator/event"

// Grant is what a founder hands to a joiner: the genesis (whose hash is the
// group), the secret of epoch 0, and the names it already knows.
type Grant struct {
	Genesis []byte
	Secret  [32]byte
	// Names are those of the cosigners so far: the joiner's must look like none.
	Names []string
	// Challenge is there where the invite replaces a member; without a claim
	// that answers it, it is all there is.
	Challenge *event.Challenge
}
