package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"
)

// ErrMissingSignatures is returned where an input has fewer valid signatures
// than the threshold.
var ErrMissingSignatures = errors.New("not enough valid signatures")

// Finalize builds the final transaction: for each input the signatures of the k
// lowest key indexes that have a valid one, of several by one key the least in
// byte order, so that the same valid signatures make the same bytes in whatever
// order and company they come. Invalid and surplus signatures are left out.
// Every input then runs through the script engine, which takes signatures just
// verified, or vouched for by the cache, as valid, and computes all else itself
// (see replay); CheckTx computes everything. Errors: ErrMissingSignatures,
// ErrScriptFailed; of several inputs the first one's.
func (s *Spend) Finalize(sigs []Signature, cache *SigCache) (*wire.MsgTx, error) {
	candidates := s.candidates(sigs)
	tx := s.tx.Copy()
	errs := make([]error, len(s.in))
	parallel(len(s.in), func(i int) {
		errs[i] = s.d.form.satisfy(s, tx, i, candidates[i], cache)
	})
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("finalize: %w", err)
		}
	}
	return tx, nil
}

// candidates sorts the signatures by input, key and bytes, and drops repeats
// and those for inputs or keys that do not exist.
func (s *Spend) candidates(sigs []Signature) [][]Signature {
	out := make([][]Signature, len(s.in))
	for _, sig := range sigs {
		if uint64(sig.Input) < uint64(len(s.in)) && uint64(sig.Key) < uint64(len(s.d.keys)) {
			out[sig.Input] = append(out[sig.Input], sig)
		}
	}
	for i := range out {
		slices.SortFunc(out[i], func(a, b Signature) int {
			if a.Key != b.Key {
				return int(a.Key) - int(b.Key)
			}
			return bytes.Compare(a.Bytes, b.Bytes)
		})
		out[i] = slices.CompactFunc(out[i], func(a, b Signature) bool {
			return a.Key == b.Key && bytes.Equal(a.Bytes, b.Bytes)
		})
	}
	return out
}
