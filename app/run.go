package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/chain/none"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// RunOptions say which node to run.
type RunOptions struct {
	DataDir    string
	Config     config.Config
	Passphrase []byte
	Log        *slog.Logger
	// Ready, if not nil, is called once the node answers its command line.
	Ready func()
	// Progress, if not nil, is called every second while the chain is being
	// synced after Ready, and once more when it is.
	Progress func(api.ChainStatus)
}

// Run runs a node until ctx ends, and then stops it in order: first the doors
// that users come through, then the wallets, the network, the store. Errors
// are *api.Error.
func Run(ctx context.Context, o RunOptions) (err error) {
	content, err := Unlock(o.DataDir, o.Config.Network, o.Passphrase)
	if err != nil {
		return err
	}
	if err := Harden(); err != nil {
		o.Log.Warn("the system does not protect the memory of this process", "error", err)
	}
	seed, remote, err := openSigner(ctx, o, content.Mnemonic)
	if err != nil {
		return err
	}
	defer unlocked(seed)
	sec := Secrets{Identity: content.IdentitySeed, Sealing: content.SealingSeed, Seed: seed}
	db, err := OpenStore(o.DataDir, content.DatabaseKey[:], o.Log)
	content.Zero()
	if err != nil {
		return err
	}
	// Unlocking the keystore took 64 MiB, which the node never needs again.
	debug.FreeOSMemory()
	chain, stopChain, err := openChain(o)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = errors.Join(err, stopChain()) }()
	n, err := start(ctx, o, sec, remote, db, chain)
	if err != nil {
		return errors.Join(startError(err), db.Close())
	}
	server, err := n.serve(o)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	o.Log.Info("node is running", "name", o.Config.Name, "peer_id", n.PeerID(), "network", o.Config.Network, "version", Version())
	if o.Ready != nil {
		o.Ready()
	}
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		n.WatchSync(watching, o.Progress)
	}()
	defer func() { <-watched }()
	defer unwatch()
	select {
	case <-ctx.Done():
	case err = <-server.failed:
	case err = <-n.broken:
		err = api.Fail("store_broken", "the node stops: "+err.Error(), "look at the disk, then start it again: nothing acknowledged is lost")
	}
	return errors.Join(err, n.shutdown(o, server))
}

// start wires the node. It listens on the ports it had before, where the
// configuration leaves them open, so that others find it again.
func start(ctx context.Context, o RunOptions, sec Secrets, remote *signer.Client, db *store.Badger, chain coordinator.Chain) (*Node, error) {
	// The node outlives ctx by its orderly stop.
	ctx = context.WithoutCancel(ctx)
	parts := Parts{
		Name: o.Config.Name, Network: wallet.Network(o.Config.Network), Version: Version(),
		Secrets: sec, Signer: remote, Store: db, Chain: chain, Log: o.Log,
		P2P: p2p.Config{
			ExternalAddrs: o.Config.ExternalAddrs, Bootstrap: o.Config.Bootstrap,
			Relays: o.Config.Relays, MDNS: o.Config.MDNS, Log: o.Log, ToldNetworks: o.Config.Told(),
		},
	}
	ports, err := readPorts(ctx, db)
	if err != nil {
		return nil, err
	}
	var n *Node
	if slices.Equal(ports.Configured, o.Config.Listen) && len(ports.Chosen) > 0 {
		parts.P2P.Listen = ports.Chosen
		if n, err = Wire(ctx, parts); err == nil {
			return n, nil
		}
		o.Log.Warn("the ports of last time are taken; others are chosen", "error", err)
	}
	parts.P2P.Listen = o.Config.Listen
	if n, err = Wire(ctx, parts); err != nil {
		return nil, err
	}
	ports = listenPorts{Configured: o.Config.Listen, Chosen: n.net.ListenAddrs()}
	return n, ports.save(ctx, db)
}

// listenPorts remembers which ports were chosen for a port of 0.
type listenPorts struct{ Configured, Chosen []string }

const recPorts = "listen"

func readPorts(ctx context.Context, db *store.Badger) (listenPorts, error) {
	var p listenPorts
	recs, err := db.Records(ctx, journal.GroupID{}, recPorts)
	if err != nil {
		return p, fmt.Errorf("read remembered ports: %w", err)
	}
	if raw, ok := recs[recPorts]; ok {
		if err := json.Unmarshal(raw, &p); err != nil {
			return p, fmt.Errorf("read remembered ports: %w", err)
		}
	}
	return p, nil
}

func (p listenPorts) save(ctx context.Context, db *store.Badger) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("remember ports: %w", err)
	}
	return db.Commit(ctx, coordinator.Batch{Puts: map[string][]byte{recPorts: raw}})
}

// openChain makes the configured backend. One that cannot be reached yet is
// no error: the node is useful for voting without it.
func openChain(o RunOptions) (coordinator.Chain, func() error, error) {
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
			CookieFile: c.Chain.Core.CookieFile, Network: wallet.Network(c.Network), Log: log,
		})
		if err != nil {
			return nil, nil, api.Misuse("bad_chain", "chain backend: "+err.Error(), "see [chain.core] in docs/configuration.md")
		}
		return b, b.Close, nil
	}
	return nil, nil, api.Misuse("bad_chain", "chain backend "+c.Chain.Backend+" is not in this version", "set chain.backend to neutrino, core or none")
}

func startError(err error) error {
	var e *api.Error
	if errors.As(err, &e) {
		return err
	}
	return api.Fail("not_started", "the node did not start: "+err.Error(), "")
}

// servers are the doors of the API.
type servers struct {
	api     *api.Server
	metrics *http.Server // nil where it is not configured
	failed  chan error
	log     *slog.Logger
	// patience is how long requests may take to end at a stop.
	patience time.Duration
}

// shutdown closes the doors. Who is still being answered after the patience is
// cut off: no client keeps the node from closing the rest in order.
func (s *servers) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if s.metrics != nil {
		_ = s.metrics.Close() // a scrape is nothing to wait for
	}
	err := s.api.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("clients of the API were cut off", "error", err)
		return nil
	}
	return err
}

func (n *Node) serve(o RunOptions) (*servers, error) {
	var tokens []api.Token
	for _, t := range o.Config.API.Tokens {
		token, err := api.ParseToken(string(t))
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	s, err := api.NewServer(n, api.Options{Version: n.parts.Version, Tokens: tokens, Log: o.Log})
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	local, err := api.ListenLocal(o.DataDir)
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	out := &servers{api: s, failed: make(chan error, 3), log: o.Log, patience: apiStopTime}
	if o.Config.Metrics.Listen != "" {
		if out.metrics, err = n.serveMetrics(o, out.failed); err != nil {
			return nil, errors.Join(err, local.Close())
		}
	}
	go func() { out.failed <- s.ServeLocal(local) }()
	if o.Config.API.Listen == "" {
		return out, nil
	}
	tcp, err := net.Listen("tcp", o.Config.API.Listen)
	if err != nil {
		return nil, errors.Join(api.Misuse("bad_api_listen", "the API does not listen: "+err.Error(), "see api.listen"), local.Close())
	}
	go func() { out.failed <- s.ServeTokens(tcp) }()
	return out, nil
}

// shutdown stops the node within stopTime. When that hangs, the log says
// where, and the process ends all the same: everything acknowledged is durable.
func (n *Node) shutdown(o RunOptions, s *servers) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	o.Log.Info("stopping")
	done := make(chan error, 1)
	go func() { done <- errors.Join(s.shutdown(ctx), n.Close()) }()
	select {
	case err := <-done:
		if err != nil {
			return api.Fail("stop", "the node stopped with an error: "+err.Error(), "")
		}
		o.Log.Info("stopped")
		return nil
	case <-time.After(stopTime):
		buf := make([]byte, 1<<20)
		o.Log.Error("the node did not stop in time", "goroutines", string(buf[:runtime.Stack(buf, true)]))
		return api.Fail("stop", "the node did not stop within "+stopTime.String(), "nothing acknowledged is lost")
	}
}
