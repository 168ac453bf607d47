package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/ops"
)

// setupFlags are the flags of setup: those of init, and what to do after it.
type setupFlags struct {
	initFlags
	start, noStart, service bool
}

// setUp is what setup answers.
type setUp struct {
	initialized
	Started bool    `json:"started"`
	Service *string `json:"service"`
}

func (c *cli) setupCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Make a node, step by step, and start it",
		Long: `Make a node, step by step: network, name, Bitcoin node (found where it is on this machine, and tried), passphrase, and the
24 words, which are shown and of which some are asked back. Then it starts the node in the background, or installs it as a service
of this user where --service asks for that, and says whether other members reach it, as far as that is known. Nothing is
made before the words are on paper. Where a directory holds a node already, it goes on after that.
Every question is also a flag, and what has its flag is not asked. Without a terminal, and with --json, nothing is asked:
--network, a passphrase file and one of --words-file, --mnemonic-file and --no-seed must be given, and the node is
started with --start or --service alone.
JSON: as of "init": {"data_dir","name","network","peer_id","fingerprint","words_file"}, and {"started","service"}; service is the file of the unit, or null.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.setup(ctx, f) }),
	}
	initializeFlags(cmd, &f.initFlags)
	flags := cmd.Flags()
	flags.BoolVar(&f.start, "start", false, "start the node in the background, without asking")
	flags.BoolVar(&f.noStart, "no-start", false, "do not start the node, and do not ask")
	flags.BoolVar(&f.service, "service", false, "install and start a systemd service of this user; it reads the passphrase from a file of mode 0600")
	cmd.MarkFlagsMutuallyExclusive("start", "no-start", "service")
	return cmd
}

func (c *cli) setup(ctx context.Context, f setupFlags) error {
	q := c.asker()
	var v setUp
	var err error
	switch {
	case ops.Vacant(c.dataDir) != nil:
		if v.initialized, err = c.madeBefore(q); err != nil {
			return err
		}
	case q == nil && f.network == "":
		return api.Misuse("usage", "the network is missing, and there is no terminal to ask on", "give --network, --passphrase-file and one of --words-file, --mnemonic-file and --no-seed")
	default:
		if q != nil {
			q.say("This makes a node in %s.\nCtrl-C leaves; nothing is made before the words are on paper.\n", c.dataDir)
			if err := q.settings(ctx, c, &f.initFlags); err != nil {
				return err
			}
		}
		// It is needed once more, to start the node.
		if f.passphrase, err = c.chosen(ctx, f.passphraseFile, f.network); err != nil {
			return err
		}
		if v.initialized, err = c.initialize(ctx, f.initFlags); err != nil {
			clear(f.passphrase)
			return err
		}
	}
	defer clear(f.passphrase)
	if err := c.startIt(ctx, q, f, &v); err != nil {
		return err
	}
	if err := answer(c, v, showSetUp); err != nil {
		return err
	}
	if v.Started && !c.json {
		c.sayReach(ctx)
	}
	if !c.json {
		c.note("\nNext, to found a wallet:\n  quorate wallet create NAME --threshold 2 --cosigners 3\nor, with an invite:\n  quorate wallet join -")
	}
	return nil
}

// madeBefore is what an earlier setup or init made.
func (c *cli) madeBefore(q *asker) (initialized, error) {
	if q == nil || !ops.HoldsNode(c.dataDir) {
		return initialized{}, ops.Vacant(c.dataDir)
	}
	l, err := config.Load(app.ConfigPath(c.dataDir), c.environ, nil)
	if err != nil {
		return initialized{}, err
	}
	q.say("There is a node in %s already: its keys and settings stay.\n", c.dataDir)
	return initialized{DataDir: c.dataDir, Name: &l.Name, Network: l.Network}, nil
}

// settings asks for what no flag gave.
func (q *asker) settings(ctx context.Context, c *cli, f *initFlags) error {
	var err error
	if f.network == "" {
		networks := []string{"signet", "testnet4", "regtest", "mainnet"}
		q.say("Which Bitcoin network?")
		if f.network, err = q.choice(ctx, "Network", networks, []string{"for trying it out: coins without worth", "another one for trying it out", "a private one on your machine", "real money"}); err != nil {
			return err
		}
		if f.network == "mainnet" {
			q.say("\nThis version has not been audited: keep no more in it than you can lose.")
			ok, err := q.sure(ctx, "Go on with real money?")
			if err != nil {
				return err
			}
			if !ok {
				return api.Refuse("not_agreed", "nothing was made, since the answer was not yes", "run `quorate setup` again, and choose signet")
			}
		}
	}
	if f.name == "" && !given(f.set, "name") {
		q.say("")
		preset := c.getenv("USER")
		if ops.CheckName(preset) != nil || preset == "root" {
			preset, _ = os.Hostname()
		}
		if ops.CheckName(preset) != nil {
			preset = ""
		}
		if f.name, err = q.text(ctx, "Your name, as the other cosigners see it", preset, ops.CheckName); err != nil {
			return err
		}
	}
	if !given(f.set, "chain.") {
		if err := q.bitcoin(ctx, c, f); err != nil {
			return err
		}
	}
	q.say("")
	return nil
}

// given says whether a setting whose key begins so is among those of --set.
func given(set []string, key string) bool {
	return slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, key) })
}

// bitcoin finds a Bitcoin node on this machine, or asks where there is one, and tries it.
func (q *asker) bitcoin(ctx context.Context, c *cli, f *initFlags) error {
	q.say("")
	if local, ok := ops.LocalBitcoin(c.getenv("HOME"), f.network); ok {
		height, err := ops.TryBitcoin(ctx, f.network, local)
		if err == nil {
			ok, err := q.yes(ctx, fmt.Sprintf("There is a Bitcoin node at %s, at block %d. Use it?", local.URL, height), true)
			if err != nil {
				return err
			}
			if ok {
				f.useCore(local)
				return nil
			}
		} else {
			q.say("A Bitcoin node was here, and cannot be used now: %s", reason(err))
		}
	}
	for range maxTries {
		q.say("How does this node see the Bitcoin network?")
		kind, err := q.choice(ctx, "Bitcoin", []string{"light", "node"}, []string{"a light client of its own; it sees coins once they are in a block", "a Bitcoin Core or btcd that answers you"})
		if err != nil {
			return err
		}
		if kind == "light" {
			return q.light(ctx, f)
		}
		at, err := q.core(ctx, c.getenv("HOME"), f.network)
		if err != nil {
			return err
		}
		height, err := ops.TryBitcoin(ctx, f.network, at)
		if err == nil {
			q.say("It answers, at block %d.", height)
			f.useCore(at)
			return nil
		}
		q.say("%s\n", reason(err))
	}
	return noAnswer()
}

// light sets up the light client, which finds no Bitcoin nodes by itself on regtest.
func (q *asker) light(ctx context.Context, f *initFlags) error {
	f.set = append(f.set, "chain.backend=neutrino")
	if f.network != "regtest" {
		return nil
	}
	peer, err := q.text(ctx, "Bitcoin node with compact filters (HOST:PORT)", "127.0.0.1:18444", notEmpty)
	f.set = append(f.set, "chain.neutrino.peers="+peer)
	return err
}

// core asks where a Bitcoin node is, and how it lets this one in.
func (q *asker) core(ctx context.Context, home, network string) (config.Core, error) {
	var at config.Core
	var err error
	preset := map[string]string{"mainnet": "127.0.0.1:8332", "testnet4": "127.0.0.1:48332", "signet": "127.0.0.1:38332", "regtest": "127.0.0.1:18443"}[network]
	if at.URL, err = q.text(ctx, "Where its RPC answers (HOST:PORT)", preset, notEmpty); err != nil {
		return at, err
	}
	if at.CookieFile, err = q.text(ctx, "Its cookie file, or - for a user and password", "-", notEmpty); err != nil {
		return at, err
	}
	if at.CookieFile != "-" {
		at.CookieFile, err = whole(at.CookieFile, home)
		return at, err
	}
	at.CookieFile = ""
	if at.User, err = q.text(ctx, "User", "", notEmpty); err != nil {
		return at, err
	}
	password, err := q.secret(ctx, "Password: ")
	at.Password = config.Secret(password)
	return at, err
}

// whole is a path that a node can use that runs in another directory, and to which no
// shell says what ~ is.
func whole(path, home string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		path = filepath.Join(home, rest)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", api.Misuse("bad_path", err.Error(), "give the whole path, from / on")
	}
	return abs, nil
}

func notEmpty(s string) error {
	if s == "" {
		return fmt.Errorf("that is empty")
	}
	return nil
}

// useCore takes a Bitcoin node into the settings. A password is kept apart: it was not
// given in an argument.
func (f *initFlags) useCore(at config.Core) {
	f.set = append(f.set, "chain.backend=core", "chain.core.url="+at.URL)
	if at.CookieFile != "" {
		f.set = append(f.set, "chain.core.cookie_file="+at.CookieFile)
	}
	f.bitcoin = at
}

// startIt starts the node, or not, as a flag or the person says.
func (c *cli) startIt(ctx context.Context, q *asker, f setupFlags, v *setUp) error {
	if _, err := c.health(ctx); err == nil {
		if f.service {
			return api.Refuse("already_running", "the node runs already, and not as a service", "stop it, then run `quorate setup --service` again")
		}
		v.Started = true
		return nil
	}
	start := f.start
	if q != nil && !f.start && !f.noStart && !f.service {
		ok, err := q.yes(ctx, "Start the node now, in the background?", true)
		if err != nil {
			return err
		}
		start = ok
	}
	if !start && !f.service {
		return nil
	}
	if f.passphrase == nil {
		pass, err := c.passphrase(ctx, f.passphraseFile, false)
		if err != nil {
			return err
		}
		defer clear(pass)
		f.passphrase = pass
	}
	exe, err := os.Executable()
	if err != nil {
		return api.Fail("not_started", "the program does not know its own path: "+err.Error(), "start it with `quorate start`")
	}
	o := ops.BackgroundOptions{Program: exe, DataDir: c.dataDir, Passphrase: f.passphrase, Environ: c.environ}
	if f.service {
		unit, err := ops.InstallService(ctx, o)
		if err != nil {
			return err
		}
		v.Service = &unit
		if err := c.answers(ctx); err != nil {
			return err
		}
	} else if err := ops.StartInBackground(ctx, o); err != nil {
		return err
	}
	v.Started = true
	return nil
}

// serviceStart is how long a service may take until its node answers.
const serviceStart = 30 * time.Second

// answers waits until the node of a service does: systemd says only that it was begun.
func (c *cli) answers(ctx context.Context) error {
	late := time.After(serviceStart)
	for {
		_, err := c.health(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-late:
			return api.Fail("not_started", "the service is installed, and its node does not answer: "+reason(err), "`journalctl --user -u quorate` says why; `systemctl --user disable --now quorate` takes it away")
		case <-ctx.Done():
			return api.Fail("interrupted", "interrupted while the node started; the service is installed", "`quorate status` says whether it runs")
		case <-time.After(lookAgain):
		}
	}
}

func (c *cli) health(ctx context.Context) (api.Status, error) {
	node, err := api.Dial(c.dataDir)
	if err != nil {
		return api.Status{}, err
	}
	defer node.Close()
	return node.Status(ctx)
}

// sayReach says whether other members reach this node, as far as that can be known:
// only another member's node can try.
func (c *cli) sayReach(ctx context.Context) {
	s, err := c.health(ctx)
	if err != nil {
		c.note("%s", reason(err))
		return
	}
	var with, without []string
	for _, p := range s.Peers {
		switch {
		case p.Member == nil:
		case p.Connected:
			with = append(with, p.Member.Called())
		default:
			without = append(without, p.Member.Called())
		}
	}
	switch {
	case len(with) > 0:
		c.note("\nConnected now with %s.", clean(strings.Join(with, ", ")))
	case len(without) > 0:
		c.note("\nNot connected with %s: are their nodes running?", clean(strings.Join(without, ", ")))
	default:
		c.note("\nWhether other nodes can reach this one is not known before a first member\nconnects. Of each two members one must be reachable: that one's router forwards\nthe port below, or all use a relay (docs/relay.md).")
	}
	for _, a := range s.Addresses {
		if short, _, _ := strings.Cut(a, "/p2p/"); !strings.Contains(short, "/127.0.0.1/") && !strings.Contains(short, "/::1/") {
			c.note("  %s", clean(short))
		}
	}
}

func showSetUp(w io.Writer, v setUp) {
	fmt.Fprintln(w)
	showInitialized(w, v.initialized)
	switch {
	case v.Service != nil:
		fmt.Fprintf(w, "\nThe node runs, as the service %s.\n", clean(*v.Service))
		fmt.Fprintln(w, "`loginctl enable-linger` lets it run while you are not logged in.")
	case v.Started:
		fmt.Fprintln(w, "\nThe node runs in the background; `quorate status` shows how it is. After the\nmachine was off: `quorate start`.")
	default:
		fmt.Fprintln(w, "\nThe node does not run yet: quorate start")
	}
}
