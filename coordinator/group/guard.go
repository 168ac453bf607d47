package group

import (
	"encoding/binary"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal/pmap"
)

// signedOn returns the transactions that spend a coin and carry a verified
// signature by this node's key, or that of a cosigner it hosts, whatever became
// of their proposals.
func (s proposalFacts) SignedCoin(o wire.OutPoint) []chainhash.Hash {
	if s.active == nil {
		return nil
	}
	me, ok := s.active.KeyOf(s.Me())
	if !ok {
		return nil
	}
	var out []chainhash.Hash
	for k, m := range s.active.Members {
		if k != me && !s.HostsMember(m) {
			continue
		}
		by := mapkey.Coin(o) + string(binary.BigEndian.AppendUint32(nil, uint32(k)))
		for tx := range pmap.Prefix(s.props.bySigner, by) {
			if id := chainhash.Hash([]byte(tx[len(by):])); !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// buried says of a proposed transaction what Guard.buried says of a signed one.
func (s proposalFacts) Buried(v ledger.View, tx chainhash.Hash) bool {
	q, ok := s.AnyOf(tx)
	return ok && BuriedBy(v, q)
}
