package wallet

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// ErrScriptFailed is returned for an input whose script does not accept.
var ErrScriptFailed = errors.New("script does not accept the input")

// CheckTx runs every input of a transaction through the script engine with the
// standard flags, on all cores; prevOuts are the outputs it spends, in the
// order of its inputs. Errors: ErrNoInputs, ErrDuplicateInput, ErrScriptFailed (which
// names the first input that fails).
func CheckTx(tx *wire.MsgTx, prevOutputs []Output) error {
	if len(tx.TxIn) == 0 {
		return fmt.Errorf("check transaction: %w", ErrNoInputs)
	}
	if len(tx.TxIn) != len(prevOutputs) {
		return fmt.Errorf("check transaction: %w: %d inputs, %d outputs known", ErrScriptFailed, len(tx.TxIn), len(prevOutputs))
	}
	prev := make([]*wire.TxOut, len(prevOutputs))
	seen := make(map[wire.OutPoint]struct{}, len(prevOutputs))
	for i, o := range prevOutputs {
		prev[i] = &wire.TxOut{Value: o.Amount, PkScript: o.PkScript}
		op := tx.TxIn[i].PreviousOutPoint
		if _, ok := seen[op]; ok {
			return fmt.Errorf("check transaction: input %d: %w", i, ErrDuplicateInput)
		}
		seen[op] = struct{}{}
	}
	mid := txscript.NewTxSigHashes(tx, &prevOuts{tx: tx, prev: prev})
	errs := make([]error, len(prev))
	parallel(len(prev), func(i int) {
		errs[i] = runEngine(tx, i, prev[i], &prevOuts{tx: tx, prev: prev}, mid, nil)
	})
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("check transaction: %w", err)
		}
	}
	return nil
}

// runEngine executes one input with the standard flags. mid and cache may be nil.
func runEngine(tx *wire.MsgTx, i int, prev *wire.TxOut, fetcher txscript.PrevOutputFetcher, mid *txscript.TxSigHashes, cache *txscript.SigCache) (err error) {
	// The engine reads what others wrote, on a worker goroutine, where a panic
	// would end the process and no caller could catch it.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("input %d: %w: engine panic: %v", i, ErrScriptFailed, r)
		}
	}()
	vm, err := txscript.NewEngine(prev.PkScript, tx, i, txscript.StandardVerifyFlags, cache, mid, prev.Value, fetcher)
	if err == nil {
		err = vm.Execute()
	}
	if err != nil {
		return fmt.Errorf("input %d: %w: %w", i, ErrScriptFailed, err)
	}
	return nil
}
