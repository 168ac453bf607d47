package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/systemd"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/ops"
)

func (c *cli) startCommand() *cobra.Command {
	var passphraseFile string
	var set []string
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Run the node in the foreground; SIGTERM stops it cleanly",
		Long: `Run the node in the foreground. SIGTERM or an interrupt stops it cleanly, a second one at once.
It logs on standard error, where a terminal also shows how far a light client is with its headers. With --json one value is printed when it is ready:
{"ready":true,"data_dir","socket","pid"}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.start(ctx, passphraseFile, set) }),
	}
	passphraseFlag(cmd, &passphraseFile)
	setFlag(cmd, &set)
	return cmd
}

func passphraseFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "passphrase-file", "", "`file` with the passphrase of the keystore (or QUORATE_PASSPHRASE_FILE)")
}

func setFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringArrayVar(into, "set", nil, "set a configuration `key=value`, or key=@FILE to read the value from a file")
}

// ready is what start prints with --json once the node answers.
type ready struct {
	Ready   bool   `json:"ready"`
	DataDir string `json:"data_dir"`
	Socket  string `json:"socket"`
	PID     int    `json:"pid"`
}

func (c *cli) start(ctx context.Context, passphraseFile string, set []string) error {
	if os.Getenv("GOMEMLIMIT") == "" && os.Getenv("GOGC") == "" {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go limitMemory(ctx)
	}
	conf, err := c.config(app.ConfigPath(c.dataDir), set)
	if err != nil {
		return err
	}
	pass, err := c.passphrase(ctx, passphraseFile, false)
	if err != nil {
		return err
	}
	defer clear(pass)
	open := readableByOthers(cmp.Or(passphraseFile, c.getenv("QUORATE_PASSPHRASE_FILE")))
	socket, err := api.SocketPath(c.dataDir)
	if err != nil {
		return err
	}
	var progress func(api.ChainStatus)
	log := ops.LogWriter(c.err, c.dataDir)
	if isTerminal(c.err) && !c.json {
		bar := &syncBar{out: c.err}
		progress, log = bar.show, bar
	}
	manager, err := systemd.New(c.getenv, os.Getpid())
	if err != nil {
		return api.Misuse("bad_environment", err.Error(), "it is set by the service manager; unset NOTIFY_SOCKET to start the node without")
	}
	defer func() { _ = manager.Close() }()
	return app.Run(ctx, app.RunOptions{
		Manager: manager,
		DataDir: c.dataDir, Config: conf, Passphrase: pass, Log: logger(log, conf.Log), Progress: progress,
		Ready: func() {
			if open != "" {
				logger(log, conf.Log).Warn("other users may read the passphrase: chmod 600 it", "file", open)
			}
			if !c.json {
				c.progress("ready; Ctrl-C stops it")
				return
			}
			if p, err := api.SocketPath(c.dataDir); err == nil {
				socket = p
			}
			// Nobody may be reading; the node runs all the same.
			_ = c.encode(ready{Ready: true, DataDir: c.dataDir, Socket: socket, PID: os.Getpid()})
		},
	})
}

// readableByOthers is a file that others than its owner may read, or nothing. Secrets of
// a container are readable by all who are in it: nobody else is.
func readableByOthers(file string) string {
	fi, err := os.Stat(file)
	if err != nil || fi.Mode().Perm()&0o077 == 0 || strings.HasPrefix(file, "/run/secrets/") {
		return ""
	}
	return file
}

// config loads the layers, and warns of a secret that other users could see in
// an argument; on mainnet it refuses one.
func (c *cli) config(path string, set []string) (config.Config, error) {
	l, err := config.Load(path, c.environ, set)
	if err != nil {
		return config.Config{}, err
	}
	for _, key := range l.Inline {
		if l.Network == "mainnet" {
			return config.Config{}, api.Refuse("password_in_argument", key+" was given in an argument, where other users can see it", "use --set "+key+"=@FILE")
		}
		c.note("warning: %s was given in an argument, where other users can see it: use --set %s=@FILE", key, key)
	}
	return l.Config, nil
}

func logger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	// Checked when the configuration was loaded.
	_ = level.UnmarshalText([]byte(l.Level))
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(display.Writer(w), o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
