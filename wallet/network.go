package wallet

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Network names a Bitcoin network.
type Network string

// The networks a wallet can live on.
const (
	Mainnet  Network = "mainnet"
	Testnet4 Network = "testnet4"
	Signet   Network = "signet"
	Regtest  Network = "regtest"
)

var (
	// ErrUnknownNetwork is returned for a network name that is none of the four.
	ErrUnknownNetwork = errors.New("unknown network")
	// ErrWrongNetwork is returned for a key, descriptor or address that
	// belongs to another network than the one asked for.
	ErrWrongNetwork = errors.New("wrong network")
)

// ParseNetwork returns the network of that name, or ErrUnknownNetwork.
func ParseNetwork(name string) (Network, error) {
	switch n := Network(name); n {
	case Mainnet, Testnet4, Signet, Regtest:
		return n, nil
	}
	return "", fmt.Errorf("%w %q: want mainnet, testnet4, signet or regtest", ErrUnknownNetwork, name)
}

// Params returns the chain parameters of the network, nil for a value that
// ParseNetwork refuses. The value is shared: it must not be changed.
func (n Network) Params() *chaincfg.Params {
	switch n {
	case Mainnet:
		return &chaincfg.MainNetParams
	case Testnet4:
		return &chaincfg.TestNet4Params
	case Signet:
		return &chaincfg.SigNetParams
	case Regtest:
		return &chaincfg.RegressionNetParams
	}
	return nil
}

// CoinType returns the coin type of derivation paths (SLIP-44): 0 for the main
// network, 1 for every test network.
func (n Network) CoinType() uint32 {
	if n == Mainnet {
		return 0
	}
	return 1
}

// checkNetwork refuses a Network made by conversion rather than ParseNetwork.
func checkNetwork(n Network) error {
	_, err := ParseNetwork(string(n))
	return err
}
