package p2p

import (
	"slices"

	ma "github.com/multiformats/go-multiaddr"
)

func relayed(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}

// bare is an address without the peer ID at its end.
func bare(at ma.Multiaddr) ma.Multiaddr {
	if rest, last := ma.SplitLast(at); last != nil && last.Protocol().Code == ma.P_P2P {
		return rest
	}
	return at
}

// loopbackOnly says whether addresses are of this machine alone. A circuit
// without its relay is nowhere.
func loopbackOnly(addrs []ma.Multiaddr) bool {
	return !slices.ContainsFunc(addrs, func(x ma.Multiaddr) bool {
		return len(x) > 0 && x[0].Protocol().Code != ma.P_CIRCUIT && !ipOf(x).IsLoopback()
	})
}
