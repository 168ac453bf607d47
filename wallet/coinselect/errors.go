package coinselect

import (
	"errors"
	"fmt"
)

// Why a spend is refused, beside ErrInsufficientFunds.
var (
	// ErrDust names an output that pays less than DustLimit.
	ErrDust = errors.New("output is dust")
	// ErrNoOutputs is returned where nothing is paid.
	ErrNoOutputs = errors.New("no outputs to pay")
	// ErrAmount names an amount, or a sum, that is zero, negative or above
	// 21 million bitcoin.
	ErrAmount = errors.New("amount out of range")
	// ErrTooHeavy says that nodes would not relay the transaction.
	ErrTooHeavy = errors.New("transaction would exceed the standard weight")
	// ErrChosenCoin names a chosen coin that is not among those offered.
	ErrChosenCoin = errors.New("chosen coin cannot be spent")
	// ErrDuplicateCoin names a coin that was offered or chosen twice.
	ErrDuplicateCoin = errors.New("coin given twice")
	// ErrScript names an output script that is empty or too long, or change
	// that nobody could ever spend.
	ErrScript = errors.New("script out of range")
	// ErrInputWeight is returned where the request states no weight of an input.
	ErrInputWeight = errors.New("no weight of an input")
)

// DustError is the ErrDust of one output.
type DustError struct {
	Output int   // which
	Amount int64 // satoshis that it pays
	Limit  int64 // satoshis that it must pay at least
}

// Error says both amounts in satoshis.
func (e DustError) Error() string {
	return fmt.Sprintf("%v: output %d pays %d sat, at least %d are needed", ErrDust, e.Output, e.Amount, e.Limit)
}

// Is makes it an ErrDust.
func (e DustError) Is(target error) bool { return target == ErrDust }

// ErrInsufficientFunds says that the coins cannot pay for the outputs and the
// fee. Find it with errors.As.
type ErrInsufficientFunds struct {
	Have int64 // satoshis in the coins chosen, or in all that bring more than their input costs
	Need int64 // satoshis to be paid, with the fee of the transaction that spends all those coins
}

// Error says both amounts in satoshis.
func (e ErrInsufficientFunds) Error() string {
	return fmt.Sprintf("insufficient funds: the coins hold %d sat, %d sat are needed", e.Have, e.Need)
}
