package wallet

import "github.com/quorate/quorate/wallet/coinselect"

// FeeRate is a fee rate in satoshis per 1000 virtual bytes.
type FeeRate = coinselect.FeeRate
