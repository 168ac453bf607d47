package app

import (
	"path/filepath"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/chain/none"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// openChain makes the configured backend. One that cannot be reached yet is
// no error: the node is useful for voting without it.
func openChain(o RunOptions) (port.Chain, func() error, error) {
	c, log := o.Config, o.Log
	switch c.Chain.Backend {
	case "none":
		return none.Backend{}, func() error { return nil }, nil
	case "neutrino":
		b, err := neutrino.New(neutrino.Config{
			Dir: filepath.Join(o.DataDir, headersName), Network: wallet.Network(c.Network), Peers: c.Chain.Neutrino.Peers, Log: log,
		})
		if err != nil {
			return nil, nil, api.Fail("bad_chain", "light client: "+err.Error(), "see chain.neutrino in docs/configuration.md")
		}
		return b, b.Close, nil
	case "core":
		b, err := core.New(core.Config{
			URL: c.Chain.Core.URL, User: c.Chain.Core.User, Password: string(c.Chain.Core.Password),
			CookieFile: c.Chain.Core.CookieFile, NoLongPoll: c.Chain.Core.NoLongPoll, Network: wallet.Network(c.Network), Log: log,
		})
		if err != nil {
			return nil, nil, api.Misuse("bad_chain", "chain backend: "+err.Error(), "see [chain.core] in docs/configuration.md")
		}
		return b, b.Close, nil
	}
	return nil, nil, api.Misuse("bad_chain", "chain backend "+c.Chain.Backend+" is not in this version", "set chain.backend to neutrino, core or none")
}
