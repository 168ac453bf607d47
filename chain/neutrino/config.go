// Package neutrino follows the Bitcoin network by itself: headers and compact
// filters (BIP157, BIP158) from Bitcoin nodes over their own protocol, and of
// blocks only those that a filter says may matter. It needs no server and no
// account. It cannot see transactions that are not in a block.
package neutrino

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/quorate/quorate/wallet"
)

// ErrConfig is returned by New for settings that cannot work.
var ErrConfig = errors.New("chain backend settings")

// Times and sizes of the light client.
const (
	// pollEvery is how often it is looked at for progress. New blocks are told
	// of at once.
	pollEvery = time.Second
	// stallTime is how long a peer may announce blocks that do not come, or no peer
	// be found, before the light client is started again.
	stallTime = 5 * time.Minute
	// filterBatch is how many filters are asked for at a time. filterCache must
	// hold them all, or they would be asked for again: 25 kB each on the main
	// network, 40 kB at the worst. blockCache holds a few blocks, for wallets that
	// follow side by side. In bytes.
	filterBatch = 500
	filterCache = 24 << 20
	blockCache  = 6 << 20
	// minPeers is how many peers must agree on filters outside regtest: from a
	// single one, a lie by omission could not be told from the truth.
	minPeers = 2
	// forgetEvery is how often the headers may be thrown away because they do not
	// fit what peers say: they are much to fetch again, and peers may lie.
	forgetEvery = 6 * time.Hour
)

// Config says where the light client keeps its headers and whom it asks.
type Config struct {
	// Dir is its own directory, made if it is not there: about 230 MB on the
	// main network. All of it can be had again from the network.
	Dir     string
	Network wallet.Network
	// Peers are the only nodes to connect to (host:port). Without any it finds
	// some by itself, but for regtest, where they must be named.
	Peers []string
	Log   *slog.Logger

	stall time.Duration // stallTime, but in a test
	least int           // how many peers are needed, in a test
}

func (c Config) normal() (Config, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.stall == 0 {
		c.stall = stallTime
	}
	if c.Network.Params() == nil {
		return c, fmt.Errorf("%w: unknown network %q", ErrConfig, c.Network)
	}
	if c.Dir == "" {
		return c, fmt.Errorf("%w: no directory", ErrConfig)
	}
	for _, p := range c.Peers {
		if _, _, err := net.SplitHostPort(p); err != nil {
			return c, fmt.Errorf("%w: peer %q is not host:port", ErrConfig, p)
		}
	}
	return c, nil
}

// need is how many connected peers make an answer worth trusting.
func (c Config) need() int {
	switch {
	case c.least > 0:
		return c.least
	case c.Network == wallet.Regtest:
		return 1
	default:
		return minPeers
	}
}
