// Package wallet holds what quorate knows of Bitcoin, as pure functions:
// networks, keys, descriptors, addresses, signing, verifying, finalizing. It
// touches no network, disk or clock, logs nothing, and keeps no goroutine
// running: work spread over the cores ends before the call returns.
//
// Terms. A Descriptor is a wallet. Its Form is the kind of script that its coins
// are locked with, and all that depends on it: form.go says what that is, and
// each form has files of its own (form_wsh*.go). Nobody else asks which kind it
// is. A Spend is a transaction over the wallet's coins before it is signed;
// Progress says how far its signatures are.
//
// Amounts are satoshis in an int64. Signatures of wsh and sh-wsh are ECDSA (DER,
// low-S) with the sighash byte SIGHASH_ALL appended; a signature's Key is an
// index into the descriptor's keys, never a position in the sorted script. Same
// signatures, same bytes of the final transaction, in whatever order and company
// they come.
//
// Begin with descriptor.go, then form.go and spend.go. Choosing coins is package
// coinselect's, the PSBT codec is package psbt's.
//
// Signing is not constant-time (btcec is not): callers must not expose how
// long it took.
package wallet
