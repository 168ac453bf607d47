package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/ops"
)

// relayReady is what relay prints once it takes connections.
type relayReady struct {
	Ready     bool     `json:"ready"`
	PeerID    string   `json:"peer_id"`
	Addresses []string `json:"addresses"`
	Allowed   int      `json:"allowed"`
	Metrics   string   `json:"metrics,omitempty"`
	DataDir   string   `json:"data_dir"`
	PID       int      `json:"pid"`
}

func (c *cli) relayCommand() *cobra.Command {
	var o ops.RelayOptions
	var log config.Log
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Run a relay for nodes that cannot reach each other, in the foreground",
		Long: `Run a relay for nodes that cannot reach each other, in the foreground; SIGTERM stops it.
It needs no node, no wallet and no Bitcoin: only its own key, relay.key in the data directory, which is made at the first
start. It carries what members have encrypted for each other and can read nothing; it learns their peer ids and addresses,
and when they talk and how much. It serves the peers that are named and nobody else: a node's peer id is in ` + "`quorate status`" + `.
Two peers are joined if they are named together: all that --allow names without a group, or all of one group.
The file of --allow-file has one peer id a line, with anything after it for people; [NAME] begins a group, # a comment. It
is read again when it changes, and on SIGHUP; who is no longer on it is disconnected.
What it prints goes into ` + "`relays`" + ` in the configuration of all who use it. Several relays are better than one.
JSON, once it is ready: {"ready":true,"peer_id","addresses":[…],"allowed","metrics","data_dir","pid"}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.relay(ctx, o, log) }),
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Listen, "listen", []string{"/ip4/0.0.0.0/tcp/" + config.RelayPort, "/ip4/0.0.0.0/udp/" + config.RelayPort + "/quic-v1", "/ip6/::/tcp/" + config.RelayPort, "/ip6/::/udp/" + config.RelayPort + "/quic-v1"}, "`multiaddr` to listen on, several by commas")
	flags.StringSliceVar(&o.External, "external", nil, "`multiaddr` under which nodes reach the relay, where it is another than it listens on")
	flags.StringSliceVar(&o.Allow, "allow", nil, "`peer id` that may use the relay, or GROUP=PEER_ID")
	flags.StringVar(&o.AllowFile, "allow-file", "", "`file` with peer ids that may use the relay")
	flags.StringVar(&o.Metrics, "metrics", "", "TCP `address` to serve Prometheus metrics on")
	flags.StringVar(&log.Level, "log-level", "info", "`level`: debug, info, warn or error")
	flags.StringVar(&log.Format, "log-format", "text", "`format`: text or json")
	return cmd
}

func (c *cli) relay(ctx context.Context, o ops.RelayOptions, log config.Log) error {
	conf := config.Default()
	conf.Listen, conf.ExternalAddrs, conf.Metrics.Listen, conf.Log = o.Listen, o.External, o.Metrics, log
	if err := conf.Validate(); err != nil {
		return err
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	o.DataDir, o.Log, o.Reload = c.dataDir, logger(c.err, log), reload
	o.Ready = func(i ops.RelayInfo) {
		// Nobody may be reading; the relay runs all the same.
		_ = answer(c, relayReady{true, i.PeerID, i.Addresses, i.Allowed, i.Metrics, c.dataDir, os.Getpid()}, showRelay)
	}
	return ops.RunRelay(ctx, o)
}

func showRelay(w io.Writer, r relayReady) {
	pairs(w, "peer id", r.PeerID, "allowed", fmt.Sprint(r.Allowed), "metrics", r.Metrics)
	for _, a := range r.Addresses {
		fmt.Fprintf(w, "relay  %s\n", clean(a))
	}
}
