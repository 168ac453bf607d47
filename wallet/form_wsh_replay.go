package wallet

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// maxReplayInputs is up to where replay is faster than the curve: without the
// shared midstate, one check hashes about 48 bytes an input (0.12 µs), and a
// verification costs some 130 µs.
const maxReplayInputs = 500

// replay lets the script engine take the signatures that Finalize has just
// verified from a cache, so that no curve operation is done twice.
//
// txscript.SigCache is keyed by the signature hash, which all signatures of one
// input share: it holds one of them at a time. But the engine asks for the
// previous outputs each time it hashes the transaction, once before each
// (signature, key) pair that OP_CHECKMULTISIG tries, if it has no midstate. At
// that moment replay puts the next signature into the cache.
//
// This is safe whatever the engine does: the cache only ever holds a
// (hash, signature, key) that verified, and for any other pair, or should the
// engine ask in another order, it computes.
type replay struct {
	prevOuts
	cache *txscript.SigCache
	hash  chainhash.Hash
	// pairs are what OP_CHECKMULTISIG tries, in order. It goes through keys and
	// signatures from the last to the first.
	pairs []replayPair
	at    int
}

// replayPair is a key and, if it is that key's turn and it signed, its
// signature without the sighash byte.
type replayPair struct{ sig, pub []byte }

// FetchPrevOutput implements txscript.PrevOutputFetcher.
func (r *replay) FetchPrevOutput(op wire.OutPoint) *wire.TxOut {
	if op == r.tx.TxIn[0].PreviousOutPoint {
		if r.at < len(r.pairs) && r.pairs[r.at].sig != nil {
			r.cache.Add(r.hash, r.pairs[r.at].sig, r.pairs[r.at].pub)
		}
		r.at++
	}
	return r.prevOuts.FetchPrevOutput(op)
}

// execute runs the engine over a finished input, whose signatures by key
// index were verified.
func (wsh) execute(s *Spend, tx *wire.MsgTx, i int, byKey [][]byte) error {
	script := s.scripts[i]
	r := &replay{
		prevOuts: prevOuts{tx: tx, prev: s.prev},
		cache:    txscript.NewSigCache(1),
		hash:     s.hashes[i],
	}
	left := s.d.threshold
	for position := len(script.Order) - 1; position >= 0 && left > 0; position-- {
		key := script.Order[position]
		pair := replayPair{pub: script.PubKeys[key]}
		if sig := byKey[key]; sig != nil {
			pair.sig = sig[:len(sig)-1]
			left--
		}
		r.pairs = append(r.pairs, pair)
	}
	if len(s.in) <= maxReplayInputs {
		return runEngine(tx, i, s.prev[i], r, nil, r.cache)
	}
	// Too many inputs to hash them all for each pair: with the midstate, and one
	// signature in the cache.
	for _, pair := range r.pairs {
		if pair.sig != nil {
			r.cache.Add(r.hash, pair.sig, pair.pub)
			break
		}
	}
	return runEngine(tx, i, s.prev[i], &r.prevOuts, s.mid, r.cache)
}
