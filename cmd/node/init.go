package main

import (
	"bytes"
	"context"
	"errors"
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
	wordsFile                            string
	noSeed, robot                        bool
	set                                  []string

	// What setup asked for: a passphrase that is known already, and a Bitcoin node
	// whose password was given in no argument.
	passphrase []byte
	bitcoin    config.Core
}

// initialized is what init answers. It never holds the mnemonic.
type initialized struct {
	DataDir string  `json:"data_dir"`
	Name    *string `json:"name"` // a signer has no name and no peer id
	Network string  `json:"network"`
	PeerID  *string `json:"peer_id"`
	// Fingerprint is of the master key, null without a seed.
	Fingerprint *string `json:"fingerprint"`
	// WordsFile holds the words of a new seed, where there was no terminal.
	WordsFile *string `json:"words_file"`
	// Robot: it signs by the group's policy, by itself.
	Robot bool `json:"is_robot"`

	next string
}

func (c *cli) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the data directory of a node: keys and configuration",
		Long: `Make the data directory of a node: its keystore, sealed with a passphrase, and config.toml.
It never overwrites one. The 24 words of a new seed are shown on a terminal, on a screen apart, and some are asked back
before anything is made; or they go into the new file of --words-file, which only its owner can read. Without either it is
refused (words_unseen). With --no-seed there are none: in each wallet this node's key is that of a device. A passphrase has
12 characters or more. "quorate setup" asks for all of it.
A mnemonic of one's own is read as people write it down: numbered or not, in one line or many, the first four letters of
each word or all. Where it has a passphrase of its own (BIP39), any other passphrase makes keys, too: compare the
fingerprint that is answered with that of the wallet it is of.
With --robot it is the node of a robot: it signs what its group's policy lets it sign, by itself, and no command has it sign
(robot.mode = "sign" in config.toml). It starts without a person, so its passphrase comes from a file, as of a systemd credential.
JSON: {"data_dir","name","network","peer_id","fingerprint","words_file","is_robot"}; fingerprint is that of the master key, null without a seed.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.init(ctx, f) }),
	}
	initializeFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.robot, "robot", false, "make the node of a robot, which signs by its group's policy and starts without a person")
	return cmd
}

// initializeFlags are those of init, and of setup.
func initializeFlags(cmd *cobra.Command, f *initFlags) {
	flags := cmd.Flags()
	flags.StringVar(&f.network, "network", "", "`network`: mainnet, testnet4, signet or regtest (default mainnet)")
	flags.StringVar(&f.name, "name", "", "`name` that other cosigners see (default the host name)")
	mnemonicFlags(cmd, f)
	flags.BoolVar(&f.noSeed, "no-seed", false, "make a node without Bitcoin keys: its key of each wallet is on a device (--external)")
	passphraseFlag(cmd, &f.passphraseFile)
	setFlag(cmd, &f.set)
}

// mnemonicFlags are those of a mnemonic that there was before.
func mnemonicFlags(cmd *cobra.Command, f *initFlags) {
	cmd.Flags().StringVar(&f.mnemonicFile, "mnemonic-file", "", "`file` with the BIP39 mnemonic to use instead of a new one")
	cmd.Flags().StringVar(&f.wordsFile, "words-file", "", "new `file` (mode 0600) for the 24 words of the new seed, instead of showing them")
	cmd.Flags().StringVar(&f.mnemonicPassphraseFile, "mnemonic-passphrase-file", "", "with --mnemonic-file: `file` with the BIP39 passphrase (the 25th word) that goes with it")
}

func (c *cli) init(ctx context.Context, f initFlags) error {
	v, err := c.initialize(ctx, f)
	if err != nil {
		return err
	}
	v.next = "quorate start"
	if v.Robot = f.robot; f.robot {
		v.next = robotNext
	}
	return answer(c, v, showInitialized)
}

// initialize makes a node; the passphrase is asked for where no file of it is named.
func (c *cli) initialize(ctx context.Context, f initFlags) (initialized, error) {
	set := f.set
	if f.network != "" {
		set = append(set, "network="+f.network)
	}
	if f.name != "" {
		set = append(set, "name="+f.name)
	}
	if f.noSeed {
		set = append(set, "signer="+config.NoSigner)
	}
	if f.robot {
		if err := c.mayBeRobot(f); err != nil {
			return initialized{}, err
		}
		set = append(set, "robot.mode="+config.RobotSign)
	}
	conf, err := c.config("", set)
	if err != nil {
		return initialized{}, err
	}
	file, err := config.FromSet(set)
	if err != nil {
		return initialized{}, err
	}
	// The environment may be another one at the start, but the network and the
	// name are the node's for good.
	file.Network, file.Name = conf.Network, conf.Name
	if file.Name == "" {
		file.Name, _ = os.Hostname()
	}
	if f.bitcoin.User != "" {
		file.Chain.Core.User, file.Chain.Core.Password = f.bitcoin.User, f.bitcoin.Password
		if err := file.Validate(); err != nil {
			return initialized{}, err
		}
	}
	made, err := c.make(ctx, ops.InitOptions{DataDir: c.dataDir, Config: file}, f, ops.Init)
	if err != nil {
		return initialized{}, err
	}
	v := newNode(c.dataDir, file.Network, f, made)
	v.Name = &file.Name
	return v, nil
}

// newNode is what was made, for the answer.
func newNode(dataDir, network string, f initFlags, made ops.InitResult) initialized {
	v := initialized{DataDir: dataDir, Network: network}
	for from, into := range map[string]**string{made.PeerID: &v.PeerID, made.Fingerprint: &v.Fingerprint, f.wordsFile: &v.WordsFile} {
		if from != "" {
			*into = &from
		}
	}
	return v
}

// make asks for a new passphrase and for the seed, and makes a keystore with them.
// What it fails for leaves no file behind.
func (c *cli) make(ctx context.Context, o ops.InitOptions, f initFlags, how func(ops.InitOptions) (ops.InitResult, error)) (ops.InitResult, error) {
	if o.Config.Network == "mainnet" {
		c.note("warning: this is mainnet, where money is real: this version has not been audited; keep no more in it than you can lose")
	}
	if err := ops.Vacant(c.dataDir); err != nil {
		return ops.InitResult{}, err
	}
	var err error
	if o.MnemonicPassphrase, err = mnemonicPassphrase(f); err != nil {
		return ops.InitResult{}, err
	}
	if o.Passphrase = bytes.Clone(f.passphrase); f.passphrase != nil {
		err = ops.CheckPassphrase(o.Passphrase, o.Config.Network)
	} else {
		o.Passphrase, err = c.chosen(ctx, f.passphraseFile, o.Config.Network)
	}
	if err != nil {
		return ops.InitResult{}, err
	}
	defer clear(o.Passphrase)
	if o.Mnemonic, err = c.newSeed(ctx, f, o.Config.Signer != ""); err != nil {
		return ops.InitResult{}, err
	}
	defer clear(o.Mnemonic)
	made, err := how(o)
	if err != nil && f.wordsFile != "" {
		// They are the words of nothing.
		err = errors.Join(err, os.Remove(f.wordsFile))
	}
	return made, err
}

// chosen gets the passphrase of a new keystore; on a terminal a short one is asked
// for again.
func (c *cli) chosen(ctx context.Context, file, network string) ([]byte, error) {
	for tries := 1; ; tries++ {
		pass, err := c.passphrase(ctx, file, true)
		if err != nil {
			return nil, err
		}
		err = ops.CheckPassphrase(pass, network)
		if err == nil {
			if len(pass) == 0 {
				c.note("warning: the passphrase is empty: whoever reads the keystore has the keys")
			}
			return pass, nil
		}
		if q := c.asker(); q == nil || c.passphraseFile(file) != "" || tries == maxTries {
			return nil, err
		}
		c.note("%s", clean(api.AsError(err).Message))
	}
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

func showInitialized(w io.Writer, v initialized) {
	pairs(w, "data dir", v.DataDir, "name", maybe(v.Name), "network", v.Network, "peer id", maybe(v.PeerID), "fingerprint", maybe(v.Fingerprint), "words", maybe(v.WordsFile))
	if v.WordsFile != nil {
		fmt.Fprintln(w, "\nWhoever reads that file can sign for you. Put the words on paper, then destroy it (shred -u).")
	}
	if v.PeerID != nil {
		fmt.Fprintln(w, "\nKeep the peer id with the words: `quorate restore --expect PEER_ID` tells a\nbackup of this node from any other.")
	}
	if v.next != "" {
		fmt.Fprintf(w, "\nNext: %s\n", v.next)
	}
}
