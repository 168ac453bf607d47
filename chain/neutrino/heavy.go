package neutrino

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/lightninglabs/neutrino/banman"

	"github.com/quorate/quorate/chain/rawblock"
)

// errHeavy ends the connection to a peer that sent what would take far more memory
// than its bytes, once the library decodes it: up to 150 MB for a count that nothing
// follows, 100 MB for a block of empty witness items. Only the miner of a block that
// is in the chain may do the latter.
var errHeavy = errors.New("the peer sent what is made to take memory")

// tooHeavy says why a block or a transaction is not for the library; nil when it
// is. known says whether a block's header is in the chain.
func tooHeavy(command string, payload []byte, known func(wire.BlockHeader) bool) error {
	if command == wire.CmdTx {
		s, err := rawblock.MeasureTx(payload)
		if err != nil || s.Sparse > 0 {
			return errHeavy
		}
		return nil
	}
	s, err := rawblock.Measure(payload)
	if err == nil && s.Sparse == 0 {
		return nil
	}
	header, badHeader := rawblock.Header(payload)
	if err != nil || badHeader != nil || known == nil || !known(header) {
		return errHeavy
	}
	if _, err := rawblock.Check(payload); err != nil {
		return errHeavy
	}
	return nil
}

// checkHeavy drops a peer that sent what is too heavy.
func (b *Backend) checkHeavy(addr, command string, payload []byte) error {
	cs, err := b.service()
	if err != nil {
		return tooHeavy(command, payload, nil)
	}
	err = tooHeavy(command, payload, func(h wire.BlockHeader) bool {
		hash := h.BlockHash()
		_, err := cs.BlockHeaders.HeightFromHash(&hash)
		return err == nil
	})
	if err == nil {
		return nil
	}
	if banned := cs.BanPeer(addr, banman.ExceededBanThreshold); banned != nil {
		return fmt.Errorf("drop a peer: %w", banned)
	}
	b.dropped(addr + " sent a " + command + " that is made to take memory")
	return err
}
