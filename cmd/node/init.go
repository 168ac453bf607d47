package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/ops"
)

// initFlags are the flags of init.
type initFlags struct {
	network, name, passphraseFile        string
	mnemonicFile, mnemonicPassphraseFile string
	set                                  []string
}

// initialized is what init answers. It never holds the mnemonic.
type initialized struct {
	DataDir string `json:"data_dir"`
	Name    string `json:"name,omitempty"`
	Network string `json:"network"`
	PeerID  string `json:"peer_id,omitempty"`
	// Fingerprint is of the master key of a mnemonic that was given.
	Fingerprint string `json:"fingerprint,omitempty"`

	words string
}

func (c *cli) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the data directory of a node: keys and configuration",
		Long: `Make the data directory of a node: its keystore, sealed with a passphrase, and config.toml.
It never overwrites one. A new mnemonic is shown once, on a terminal only: write it down.
A mnemonic of one's own is read as people write it down: numbered or not, in one line or many, the first four letters of
each word or all. Where it has a passphrase of its own (BIP39), any other passphrase makes keys, too: compare the
fingerprint that is answered with that of the wallet it is of.
JSON: {"data_dir","name","network","peer_id","fingerprint"}; the fingerprint is that of a mnemonic that was given.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.init(ctx, f) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.network, "network", "", "`network`: mainnet, testnet4, signet or regtest (default mainnet)")
	flags.StringVar(&f.name, "name", "", "`name` that other cosigners see (default the host name)")
	mnemonicFlags(cmd, &f)
	passphraseFlag(cmd, &f.passphraseFile)
	setFlag(cmd, &f.set)
	return cmd
}

// mnemonicFlags are those of a mnemonic that there was before.
func mnemonicFlags(cmd *cobra.Command, f *initFlags) {
	cmd.Flags().StringVar(&f.mnemonicFile, "mnemonic-file", "", "`file` with the BIP39 mnemonic to use instead of a new one")
	cmd.Flags().StringVar(&f.mnemonicPassphraseFile, "mnemonic-passphrase-file", "", "with --mnemonic-file: `file` with the BIP39 passphrase (the 25th word) that goes with it")
}

func (c *cli) init(ctx context.Context, f initFlags) error {
	set := f.set
	if f.network != "" {
		set = append(set, "network="+f.network)
	}
	if f.name != "" {
		set = append(set, "name="+f.name)
	}
	conf, err := c.config("", set)
	if err != nil {
		return err
	}
	file, err := config.FromSet(set)
	if err != nil {
		return err
	}
	// The environment may be another one at the start, but the network and the
	// name are the node's for good.
	file.Network, file.Name = conf.Network, conf.Name
	if file.Name == "" {
		file.Name, _ = os.Hostname()
	}
	o, err := c.secrets(ctx, ops.InitOptions{DataDir: c.dataDir, Config: file}, f)
	if err != nil {
		return err
	}
	defer clear(o.Passphrase)
	made, err := ops.Init(o)
	if err != nil {
		return err
	}
	v := initialized{DataDir: c.dataDir, Name: file.Name, Network: file.Network, PeerID: made.PeerID, Fingerprint: made.Fingerprint}
	c.words(&v, made)
	return answer(c, v, showInitialized)
}

// secrets asks for the mnemonic, where a file is named, and for a new passphrase.
func (c *cli) secrets(ctx context.Context, o ops.InitOptions, f initFlags) (ops.InitOptions, error) {
	if f.mnemonicFile != "" {
		words, err := readSecret("mnemonic", f.mnemonicFile)
		if err != nil {
			return o, err
		}
		if len(words) == 0 {
			return o, api.Misuse("bad_mnemonic", "the mnemonic file is empty", "put 12 to 24 words into it")
		}
		o.Mnemonic = words
	}
	var err error
	if o.MnemonicPassphrase, err = mnemonicPassphrase(f); err != nil {
		return o, err
	}
	if o.Passphrase, err = c.passphrase(ctx, f.passphraseFile, true); err != nil {
		return o, err
	}
	if len(o.Passphrase) == 0 {
		if o.Config.Network == "mainnet" {
			return o, api.Refuse("empty_passphrase", "the passphrase is empty", "choose one: whoever reads the keystore has the keys otherwise")
		}
		c.note("warning: the passphrase is empty: whoever reads the keystore has the keys")
	}
	return o, nil
}

// mnemonicPassphrase reads the passphrase of BIP39, "" where no file is named.
func mnemonicPassphrase(f initFlags) (string, error) {
	const flag = "mnemonic_passphrase"
	if f.mnemonicPassphraseFile == "" {
		return "", nil
	}
	if f.mnemonicFile == "" {
		return "", api.Misuse("bad_request", "--mnemonic-passphrase-file goes with --mnemonic-file", "give the mnemonic that it is of")
	}
	raw, err := readSecret(flag, f.mnemonicPassphraseFile)
	if err != nil {
		return "", err
	}
	defer clear(raw)
	text, ok := filetext.Text(raw)
	if text = strings.TrimSuffix(text, "\n"); !ok || text == "" {
		return "", api.Misuse("bad_"+flag, "the file with the passphrase of the mnemonic is empty, or not text", "leave the flag out where there is no passphrase")
	}
	return text, nil
}

// words gives a new mnemonic to be shown, on a terminal only.
func (c *cli) words(v *initialized, made ops.InitResult) {
	if isTerminal(c.out) {
		v.words = made.Mnemonic
	} else if made.Mnemonic != "" {
		c.note("the mnemonic is not shown, because standard output is not a terminal: it is in the keystore only")
	}
}

func showInitialized(w io.Writer, v initialized) {
	pairs(w, "data dir", v.DataDir, "name", v.Name, "network", v.Network, "peer id", v.PeerID, "fingerprint", v.Fingerprint)
	if v.words != "" {
		fmt.Fprintf(w, "\nWrite these words down; they are not shown again:\n\n  %s\n", v.words)
	}
	if v.PeerID != "" {
		fmt.Fprintln(w, "\nKeep the peer id with the words: `quorate restore --expect PEER_ID` tells a backup of this node from any other.")
	}
}
