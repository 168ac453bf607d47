package wallet

import (
	"errors"
	"fmt"
)

// Why a selection is refused, beside ErrInsufficientFunds.
var (
	ErrDust          = errors.New("output is dust")
	ErrNoOutputs     = errors.New("no outputs to pay")
	ErrAmount        = errors.New("amount out of range")
	ErrTooHeavy      = errors.New("transaction would exceed the standard weight")
	ErrChosenCoin    = errors.New("chosen coin cannot be spent")
	ErrDuplicateCoin = errors.New("coin given twice")
	ErrScript        = errors.New("script out of range")
	ErrNoDescriptor  = errors.New("no descriptor")
)

// ErrInsufficientFunds says that the coins cannot pay for the outputs and the
// fee. Find it with errors.As.
type ErrInsufficientFunds struct {
	Have int64 // satoshis that the coins are worth, after what spending each costs
	Need int64 // satoshis to be paid, with the fee for all but the inputs
}

// Error says both amounts in satoshis.
func (e ErrInsufficientFunds) Error() string {
	return fmt.Sprintf("insufficient funds: the coins hold %d sat, %d sat are needed", e.Have, e.Need)
}
