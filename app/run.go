package app

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/systemd"
	"github.com/quorate/quorate/coordinator/port"
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
	// Manager, if not nil, is told when the node is ready, that it lives, and that it stops.
	Manager *systemd.Notifier
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
	seed, remote, err := openSigner(ctx, o, content.Mnemonic, content.MnemonicPassphrase)
	if err != nil {
		return err
	}
	defer unlocked(seed)
	ceiling, err := readCeiling(o.Config)
	if err != nil {
		return err
	}
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
	n, err := start(ctx, o, sec, ceiling, remote, db, chain)
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
	o.tell(systemd.Ready)
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		n.WatchSync(watching, o.Progress)
	}()
	defer func() { <-watched }()
	guarded := make(chan struct{})
	go func() {
		defer close(guarded)
		o.Manager.Watch(watching, func(within time.Duration) bool { return len(n.co.Stuck(within)) == 0 })
	}()
	defer func() { <-guarded }()
	defer unwatch()
	select {
	case <-ctx.Done():
	case err = <-server.failed:
	case err = <-n.broken:
		err = api.Fail("store_broken", "the node stops: "+err.Error(), "look at the disk, then start it again: nothing acknowledged is lost")
	}
	o.tell(systemd.Stopping)
	return errors.Join(err, n.shutdown(o, server))
}

// tell tells the service manager. A node that it does not hear runs all the same.
func (o RunOptions) tell(state string) {
	if err := o.Manager.Tell(state); err != nil {
		o.Log.Warn("the service manager does not hear the node", "error", err)
	}
}

// start wires the node. A port of 0 is the one that it was before, so that others
// find the node again.
func start(ctx context.Context, o RunOptions, sec Secrets, ceiling []byte, remote *signer.Client, db *store.Badger, chain port.Chain) (*Node, error) {
	// The node outlives ctx by its orderly stop.
	ctx = context.WithoutCancel(ctx)
	ports, err := readPorts(ctx, db)
	if err != nil {
		return nil, err
	}
	n, err := Wire(ctx, Parts{
		Name: o.Config.Name, Network: wallet.Network(o.Config.Network), Version: Version(),
		Secrets: sec, Signer: remote, Store: db, Chain: chain, Traces: o.Config.Traces.Endpoint, Robot: robotMode(o.Config), Ceiling: ceiling, Log: o.Log,
		P2P: p2p.Config{
			Listen: o.Config.Listen, Ports: ports.Chosen,
			ExternalAddrs: o.Config.ExternalAddrs, Bootstrap: o.Config.Bootstrap,
			Relays: o.Config.Relays, MDNS: o.Config.MDNS, Log: o.Log, ToldNetworks: o.Config.Told(),
		},
	})
	if err != nil {
		return nil, err
	}
	if now := n.net.Ports(); !slices.Equal(now, ports.Chosen) {
		if err := (listenPorts{Configured: o.Config.Listen, Chosen: now}).save(ctx, db); err != nil {
			o.Log.Warn("the chosen ports are not remembered: they will be others at the next start", "error", err)
		}
	}
	return n, nil
}

func startError(err error) error {
	var e *api.Error
	if errors.As(err, &e) {
		return err
	}
	var l *p2p.ListenError
	if errors.As(err, &l) {
		return listenError(l)
	}
	return api.Fail("not_started", "the node did not start: "+err.Error(), "")
}
