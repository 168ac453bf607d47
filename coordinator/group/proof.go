package group

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/wallet"
)

// proofOf is what a key signs to show that somebody has it: a hash, and the same as a
// text for what signs messages only.
type proofOf struct {
	key  wallet.Key
	net  wallet.Network
	hash [32]byte
	text string
}

// check verifies a proof of a kind.
func (p proofOf) check(how event.ProofKind, proof []byte) error {
	switch how {
	case event.ProofOwn:
		return p.key.VerifyHash(p.hash, proof)
	case event.ProofNone:
		if len(proof) != 0 {
			return fmt.Errorf("%w: a proof where none is claimed", event.ErrEvent)
		}
		return nil
	}
	child, err := p.key.ProofKey(p.net)
	if err != nil {
		return err
	}
	if how == event.ProofMessage {
		return child.VerifyMessage(p.text, proof)
	}
	return child.VerifyBIP322(p.text, proof)
}
