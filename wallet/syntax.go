package wallet

import "fmt"

// SyntaxError says where a key, descriptor or mnemonic text is wrong and why.
// It never repeats the text, which may hold secrets.
type SyntaxError struct {
	// What was parsed: "descriptor" or "key".
	What string
	// Offset is the position of the offending byte, counted from 0.
	Offset int
	// Err is what is wrong, one of this package's sentinels where there is one.
	Err error
}

// Error names what was parsed, the position and the reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("parse %s: byte %d: %v", e.What, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *SyntaxError) Unwrap() error { return e.Err }
