package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/ops"
)

// signerReady is what signer prints once it answers nodes.
type signerReady struct {
	Ready   bool   `json:"ready"`
	DataDir string `json:"data_dir"`
	Socket  string `json:"socket"`
	PID     int    `json:"pid"`
}

func (c *cli) signerCommand() *cobra.Command {
	var o app.SignerOptions
	var passphraseFile string
	var log config.Log
	cmd := &cobra.Command{
		Use:   "signer",
		Short: "Hold a node's Bitcoin keys in a process of their own, in the foreground",
		Long: `Hold a node's Bitcoin keys in a process of their own, best under a user of its own; SIGTERM stops it.
The node is made with ` + "`quorate init --set signer=SOCKET`" + ` and has no seed: what talks to the network never shares memory
with one. The seed is in the keystore of this command's data directory, which ` + "`quorate signer init`" + ` makes. It signs what
the node asks for, if it is a spend of a multisig with a key of this seed, or says that the node has the key: it does not
ask anybody. With --ceiling it signs only what that file lets it sign, in the wallets whose descriptors --wallets lists, and keeps
what it signed: see "quorate signer settle". That a new node takes a lost one's place it proves only with --allow-replacement. Processes of its own
user are answered, and of those that --user names.
JSON, once it is ready: {"ready":true,"data_dir","socket","pid"}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.signer(ctx, o, passphraseFile, log) }),
	}
	flags := cmd.Flags()
	passphraseFlag(cmd, &passphraseFile)
	flags.StringVar(&o.Socket, "socket", "", "`path` of the Unix socket that nodes ask at (default signer.sock in the data directory)")
	flags.StringSliceVar(&o.Users, "user", nil, "`user` whose node may ask, by name or number, several by commas")
	flags.StringVar(&o.Group, "group", "", "`group` that may open the socket, for a node of another user (default: the own user only)")
	flags.BoolVar(&o.Replacements, "allow-replacement", false, "prove that a new node takes the place of a lost one: only while one joins")
	flags.StringVar(&o.Ceiling, "ceiling", "", "`file` of what is signed at most, in the language of policies (docs/signer.md)")
	flags.StringVar(&o.Wallets, "wallets", "", "`file` of the descriptors of the wallets in which anything is signed, one a line; with --ceiling")
	flags.StringVar(&log.Level, "log-level", "info", "`level`: debug, info, warn or error")
	flags.StringVar(&log.Format, "log-format", "text", "`format`: text or json")
	cmd.AddCommand(c.signerInitCommand(), c.signerSettleCommand())
	return cmd
}

func (c *cli) signer(ctx context.Context, o app.SignerOptions, passphraseFile string, log config.Log) error {
	conf := config.Default()
	conf.Log = log
	if err := conf.Validate(); err != nil {
		return err
	}
	pass, err := c.passphrase(ctx, passphraseFile, false)
	if err != nil {
		return err
	}
	defer clear(pass)
	o.DataDir, o.Passphrase, o.Log = c.dataDir, pass, logger(c.err, log)
	if o.Socket == "" {
		o.Socket = filepath.Join(c.dataDir, "signer.sock")
	}
	o.Ready = func() {
		if !c.json {
			c.progress("ready; Ctrl-C stops it")
			return
		}
		// Nobody may be reading; the signer runs all the same.
		_ = c.encode(signerReady{Ready: true, DataDir: c.dataDir, Socket: o.Socket, PID: os.Getpid()})
	}
	return app.RunSigner(ctx, o)
}

func (c *cli) signerInitCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the data directory of a signer: its keystore",
		Long: `Make the data directory of a signer: a keystore with a seed, sealed with a passphrase, and nothing else.
The 24 words of a new seed are shown, or written to --words-file, and one's own are read, as by "quorate init".
JSON: as of "quorate init": {"data_dir","name","network","peer_id","fingerprint","words_file"}; name and peer_id are null.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.initSigner(ctx, f) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.network, "network", "mainnet", "`network`: mainnet, testnet4, signet or regtest")
	mnemonicFlags(cmd, &f)
	passphraseFlag(cmd, &f.passphraseFile)
	return cmd
}

func (c *cli) initSigner(ctx context.Context, f initFlags) error {
	conf := config.Default()
	conf.Network = f.network
	if err := conf.Validate(); err != nil {
		return err
	}
	made, err := c.make(ctx, ops.InitOptions{DataDir: c.dataDir, Config: conf}, f, ops.InitSigner)
	if err != nil {
		return err
	}
	v := newNode(c.dataDir, conf.Network, f, made)
	v.PeerID, v.next = nil, "quorate signer"
	return answer(c, v, showInitialized)
}
