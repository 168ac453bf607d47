package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// restoreFlags are the flags of restore.
type restoreFlags struct {
	passphraseFile, newFile, identityFile, expect string
	keystoreFile                                  string
	keepConfig                                    bool
	allow                                         []string
}

func (c *cli) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a node from a backup, in a data directory that holds nothing",
		Long: `Make a node from a backup, in a data directory that holds nothing: all of it or nothing. When it is started it
catches up with the others and goes on as a new incarnation. It signs once it has heard from every other
cosigner, or by "approve --allow restored_unsynced". The lost machine must not run again beside it.
Before it writes anything it says whose node the file is of and what it brings. Whoever knows an age recipient can write
a file for it, so for one that is sealed to recipients give --expect with the peer id that "init" and "backup" said, or
answer on a terminal. Servers of its configuration (chain, api, metrics, signer) are taken over only where --expect
agrees, by --keep-config, or by an answer on a terminal; what was not is in "dropped".
A backup that was made without the passphrase holds the keystore sealed: it is opened with the passphrase that is given, or
with that of --keystore-passphrase-file, where the new one is to be another.
JSON: {"data_dir","name","network","peer_id","wallet_count","entry_count","created","wallet_ids","signed","dropped"}.`,
		Args: cobra.ExactArgs(1),
		RunE: c.action(func(ctx context.Context, args []string) error { return c.restore(ctx, args[0], f) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.identityFile, "identity", "", "`file` with the age identity, for a backup that is sealed to a recipient")
	flags.StringVar(&f.passphraseFile, "passphrase-file", "", "`file` with the passphrase of the backup; it becomes that of the keystore (or QUORATE_PASSPHRASE_FILE)")
	flags.StringVar(&f.newFile, "new-passphrase-file", "", "`file` with a passphrase for the keystore, where it is not the backup's")
	flags.StringVar(&f.keystoreFile, "keystore-passphrase-file", "", "`file` with the passphrase that the node had, where its keystore is sealed in the backup")
	flags.StringVar(&f.expect, "expect", "", "`peer id` of the node that it must be a backup of")
	flags.BoolVar(&f.keepConfig, "keep-config", false, "take over the servers that its configuration names")
	flags.StringSliceVar(&f.allow, "allow", nil, "`rules` to go on against, by name: backup_unauthenticated")
	return cmd
}

func (c *cli) restore(ctx context.Context, file string, f restoreFlags) error {
	o := ops.RestoreOptions{
		DataDir: c.dataDir, File: file, Log: slog.New(slog.DiscardHandler),
		Expect: strings.TrimSpace(f.expect), KeepConfig: f.keepConfig, Allow: f.allow,
	}
	if !c.json {
		o.Show = c.showBackupSummary
	}
	if q := c.asker(); q != nil {
		o.Ask = func(question string) (bool, error) { return q.sure(ctx, clean(question)) }
	}
	if f.identityFile != "" {
		b, err := readSecret("identity", f.identityFile)
		if err != nil {
			return err
		}
		defer clear(b)
		o.Identities = string(b)
	}
	var err error
	if f.keystoreFile != "" {
		if o.KeystorePassphrase, err = readSecret("passphrase", f.keystoreFile); err != nil {
			return err
		}
		defer clear(o.KeystorePassphrase)
	} else if q := c.prompter(); q != nil {
		o.AskKeystore = func() ([]byte, error) { return q.secret(ctx, "The passphrase of the node that was backed up: ") }
	}
	if f.identityFile == "" || f.newFile == "" {
		// With an identity there is only the keystore's, which is new.
		if o.SealPassphrase, err = c.passphrase(ctx, f.passphraseFile, f.identityFile != ""); err != nil {
			return err
		}
		defer clear(o.SealPassphrase)
	}
	o.Passphrase = o.SealPassphrase
	if f.newFile != "" {
		if o.Passphrase, err = readSecret("passphrase", f.newFile); err != nil {
			return err
		}
		defer clear(o.Passphrase)
	}
	if f.newFile != "" || f.identityFile != "" { // one is chosen, not brought
		if err := ops.CheckPassphrase(o.Passphrase, ""); err != nil {
			return err
		}
	}
	v, err := ops.Restore(ctx, o)
	if err != nil {
		return err
	}
	return answer(c, v, showRestored)
}

// shownWallets is how many wallets of a backup are listed one by one.
const shownWallets = 50

// showBackupSummary says what a backup brings, before it is restored.
func (c *cli) showBackupSummary(s ops.BackupSummary) {
	w := c.err
	fmt.Fprintln(w, "The backup says of itself:")
	pairs(w, "name", s.Name, "network", s.Network, "peer id", s.PeerID, "made", s.Created.Format("2006-01-02 15:04:05 MST"))
	for n, x := range s.Wallets {
		if n == shownWallets {
			fmt.Fprintf(w, "and %d wallets more\n", len(s.Wallets)-n)
			break
		}
		pairs(w, "wallet", fmt.Sprintf("%s, %d entries", x.Wallet, x.Entries))
	}
	for _, x := range s.Settings {
		pairs(w, "config.toml", fmt.Sprintf("%s = %.200s", x.Key, x.Value))
	}
	if !s.Signed {
		fmt.Fprintln(w, "It was not signed by its node: it is of an older version, or was made without its passphrase.")
	}
	fmt.Fprintln(w)
}

func showRestored(w io.Writer, v ops.RestoreResult) {
	pairs(w, "data dir", v.DataDir, "name", v.Name, "network", v.Network, "peer id", v.PeerID,
		"wallets", fmt.Sprint(v.Wallets), "entries", fmt.Sprint(v.Entries), "backup of", v.Created.Format("2006-01-02 15:04:05 MST"))
	if len(v.Dropped) > 0 {
		fmt.Fprintf(w, "\nNot taken over from its config.toml: %s. Set them again there, or restore with --keep-config.\n", strings.Join(v.Dropped, ", "))
	}
	fmt.Fprintln(w, "\nStart it with `quorate start`. It signs once it has heard from every other cosigner; `quorate wallet show` says who is missing.")
}

// showUnsynced says of a restored node whom it has not heard from.
func showUnsynced(w io.Writer, x api.WalletSummary) {
	if x.Restored == nil {
		return
	}
	fmt.Fprintf(w, "\nrestored %s: not heard from since: %s. This node does not sign before (approve --allow %s).\n",
		x.Restored.Since.Format("2006-01-02 15:04:05 MST"), clean(x.Restored.Missing()), "restored_unsynced")
}
