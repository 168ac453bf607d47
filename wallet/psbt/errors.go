package psbt

import (
	"errors"
	"fmt"
)

// What can be wrong with a packet. Errors of this package wrap one of these.
var (
	ErrMagic     = errors.New("not a psbt")
	ErrTruncated = errors.New("ends too early")
	ErrTrailing  = errors.New("bytes after the end")
	ErrTooLarge  = errors.New("over a limit")
	ErrMalformed = errors.New("malformed")
	ErrDuplicate = errors.New("duplicate key")
	ErrVersion   = errors.New("unsupported psbt version")
	ErrMissing   = errors.New("required field missing")
	ErrForbidden = errors.New("field not allowed in this psbt version")
	ErrSigned    = errors.New("unsigned transaction holds a signature")
	ErrUTXO      = errors.New("spent output does not match")
	ErrScript    = errors.New("script does not match the spent output")
	ErrLockTime  = errors.New("inputs require both a time and a height lock")
	ErrNotFinal  = errors.New("input is not final")

	// ErrSeveral is returned for a text that holds more than one packet.
	ErrSeveral = errors.New("several psbts in one text: give one by itself")

	ErrNothing     = errors.New("nothing to combine")
	ErrDifferentTx = errors.New("packets are for different transactions")
	ErrConflict    = errors.New("packets disagree")
)

// ConflictError names the field on which combined packets disagree. It is an
// [ErrConflict].
type ConflictError struct {
	Where string // "global", "input" or "output"
	Index int    // of the input or output, from 0
	Key   []byte // the field's whole key, its type first
}

// Error says where the packets disagree, by the type of the field: keys and values stay out of logs.
func (e *ConflictError) Error() string {
	if e.Where == "global" {
		return fmt.Sprintf("%v: global field %#02x", ErrConflict, e.Key[:min(1, len(e.Key))])
	}
	return fmt.Sprintf("%v: %s %d: field %#02x", ErrConflict, e.Where, e.Index, e.Key[:min(1, len(e.Key))])
}

// Unwrap returns [ErrConflict].
func (e *ConflictError) Unwrap() error { return ErrConflict }
