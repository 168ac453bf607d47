package ledger

import (
	"encoding/binary"
	"sync"

	"github.com/btcsuite/btcd/wire/v2"
)

// sieve tells most transactions of a block apart from those of a wallet by a
// look into a hash table: exact answers take a dozen comparisons of strings for
// each output and input. It only grows and is shared by all Views that come
// from one another: what it holds too much is looked up exactly.
type sieve struct {
	mu    sync.RWMutex
	marks map[uint64]struct{}
}

func newSieve() *sieve { return &sieve{marks: map[uint64]struct{}{}} }

// add may be called on a nil sieve, which lets everything through.
func (s *sieve) add(marks ...uint64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range marks {
		s.marks[m] = struct{}{}
	}
}

// passes says whether a transaction may pay a watched script, spend a coin of
// the wallet, or be known; true is always a right answer.
func (s *sieve) passes(tx *wire.MsgTx) bool {
	if s == nil {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, o := range tx.TxOut {
		if _, ok := s.marks[scriptMark(o.PkScript)]; ok {
			return true
		}
	}
	for _, i := range tx.TxIn {
		if _, ok := s.marks[coinMark(i.PreviousOutPoint)]; ok {
			return true
		}
	}
	return false
}

// scriptMark takes the end of a script: of those watched, part of a hash.
func scriptMark(script []byte) uint64 {
	var end [8]byte
	copy(end[:], script[max(0, len(script)-8):])
	return binary.LittleEndian.Uint64(end[:])
}

func coinMark(o wire.OutPoint) uint64 {
	return binary.LittleEndian.Uint64(o.Hash[:]) + uint64(o.Index)
}
