package group

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrFault means that this program has a fault: it failed in the middle of what
// it was asked, and changed nothing.
var ErrFault = errors.New("this program has a fault and could not do it; nothing was changed")

// FaultError is a panic that was caught: where it was, for the log.
type FaultError struct {
	Value any
	Stack []byte
}

func (e *FaultError) Error() string { return fmt.Sprintf("%v: %v", ErrFault, e.Value) }

func (e *FaultError) Unwrap() error { return ErrFault }

// Contained runs f, and turns a panic into an ErrFault. Machines and states are
// immutable, so what f worked on stays as it was.
func Contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &FaultError{v, debug.Stack()}
		}
	}()
	return f()
}
