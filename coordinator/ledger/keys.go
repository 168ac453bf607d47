package ledger

import (
	"encoding/binary"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Keys of the maps are fixed-size fields in a row, so that no two meet.
func key(id chainhash.Hash) string { return string(id[:]) }

func coinKey(o wire.OutPoint) string {
	return string(binary.BigEndian.AppendUint32(append(make([]byte, 0, 36), o.Hash[:]...), o.Index))
}
