package wallet

import "errors"

// ErrNotCosigner is returned when an account is none of a descriptor's keys.
var ErrNotCosigner = errors.New("account is not a key of this wallet")

// Sign signs every input with the account's keys, on all cores, in the order of
// inputs: the bytes that Bitcoin Core makes. Errors: ErrNotCosigner, ErrKeyWiped.
func (s *Spend) Sign(a *AccountKey) ([]Signature, error) { return s.d.form.sign(s, a) }
