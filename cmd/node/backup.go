package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/ops"
)

// backupFlags are the flags of backup.
type backupFlags struct {
	passphraseFile, sealFile string
	recipients               []string
	force                    bool
}

func (c *cli) backupCommand() *cobra.Command {
	var f backupFlags
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write one encrypted file with everything that a lost machine takes with it",
		Long: `Write one encrypted file (age) with keys, journals, sign guard, secrets and configuration, of a running
node or a stopped one. FILE may be -: it goes to standard output then, and what is said of it to standard error; a stream that ends
early is truncated, and ` + "`restore`" + ` says so. It is sealed to the passphrase of the keystore, to another one, or to age recipients.
With --recipient a node that runs is backed up without its passphrase, where none is given: the keystore goes in as it is, so that
a restore needs the identity of a recipient and the passphrase too ("keystore" is "sealed").
JSON: {"file","bytes","wallet_count","entry_count","guard_record_count","created","sealed_to":"passphrase|recipients","keystore":"open|sealed","peer_id"}.`,
		Args: cobra.ExactArgs(1),
		RunE: c.action(func(ctx context.Context, args []string) error { return c.backup(ctx, args[0], f) }),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.recipients, "recipient", nil, "age `recipient` (age1…) who can open it, instead of a passphrase; may be repeated")
	flags.StringVar(&f.sealFile, "backup-passphrase-file", "", "`file` with a passphrase for the backup, where it is not the keystore's")
	flags.BoolVar(&f.force, "force", false, "overwrite FILE")
	passphraseFlag(cmd, &f.passphraseFile)
	return cmd
}

func (c *cli) backup(ctx context.Context, file string, f backupFlags) error {
	conf, err := c.config(app.ConfigPath(c.dataDir), nil)
	if err != nil {
		return err
	}
	o := ops.BackupOptions{DataDir: c.dataDir, File: file, Config: conf, Recipients: f.recipients, Force: f.force, Log: logger(c.err, conf.Log)}
	o.KeepSealed = len(f.recipients) > 0 && c.passphraseFile(f.passphraseFile) == "" && ops.NodeRuns(ctx, c.dataDir)
	if !o.KeepSealed {
		if o.Passphrase, err = c.passphrase(ctx, f.passphraseFile, false); err != nil {
			return err
		}
		defer clear(o.Passphrase)
	}
	o.SealPassphrase = o.Passphrase
	if f.sealFile != "" {
		if o.SealPassphrase, err = readSecret("passphrase", f.sealFile); err != nil {
			return err
		}
		defer clear(o.SealPassphrase)
		if err := ops.CheckPassphrase(o.SealPassphrase, conf.Network); err != nil {
			return err
		}
	}
	if file == "-" {
		if isTerminal(c.out) {
			return api.Misuse("terminal", "back up: standard output is a terminal", "send it to a file or to a program: `quorate backup - | …`")
		}
		o.Out = c.out
		c.answered = true // whatever comes now is of the backup
	}
	v, err := ops.Backup(ctx, o)
	if err != nil {
		return err
	}
	switch {
	case file != "-":
		return answer(c, v, showBackup)
	case c.json:
		return json.NewEncoder(c.err).Encode(v)
	}
	showBackup(c.err, v)
	return nil
}

func showBackup(w io.Writer, v ops.BackupResult) {
	pairs(w, "file", v.File, "bytes", fmt.Sprint(v.Bytes), "wallets", fmt.Sprint(v.Wallets),
		"entries", fmt.Sprint(v.Entries), "sealed to", v.SealedTo, "peer id", v.PeerID)
	if v.Keystore == "sealed" {
		fmt.Fprintln(w, "\nTo restore it takes the identity of a recipient and this node's passphrase, both.")
	}
	fmt.Fprintln(w, "\nKeep it on another machine. A signature given after it was made is not in it: make another one now and then.")
	fmt.Fprintf(w, "\nKeep this line elsewhere than the file: it tells your backup from one that somebody put in its place.\n\n  quorate restore FILE --expect %s\n", v.PeerID)
}
