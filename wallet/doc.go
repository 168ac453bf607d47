// Package wallet holds what quorate knows of Bitcoin, as pure functions:
// networks, keys, descriptors, addresses, coin selection, signing, verifying,
// finalizing. It touches no network, disk or clock, logs nothing, and keeps no
// goroutine running: work spread over the cores ends before the call returns.
//
// Amounts are satoshis in an int64. Signatures are ECDSA (DER, low-S) with the
// sighash byte SIGHASH_ALL appended; their Key is an index into the
// descriptor's keys, never a position in the sorted script.
//
// Signing is not constant-time (btcec is not): callers must not expose how
// long it took.
package wallet
