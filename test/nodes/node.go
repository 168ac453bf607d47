package nodes

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// Node is a cosigner's data directory and, while it runs, its process.
type Node struct {
	*Daemon
	Client *api.Client // nil of a node that At named
	PeerID string      // as init told it

	config Config
}

// At names a node and makes nothing, for command lines on a data directory that
// there may be or not.
func (w *World) At(t testing.TB, c Config) *Node {
	t.Helper()
	return &Node{Daemon: w.Daemon(t, c), config: c}
}

// New makes a node: it runs `quorate init`, with more flags.
func (w *World) New(t testing.TB, c Config, flags ...string) *Node {
	t.Helper()
	n := w.At(t, c)
	n.Init(flags...)
	var err error
	if n.Client, err = api.Dial(n.Dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.Kill()
		n.Client.Close()
	})
	return n
}

// Init makes the data directory, with more flags.
func (n *Node) Init(flags ...string) {
	n.T.Helper()
	w, c := n.world, n.config
	settings := []string{"listen=" + cmp.Or(c.Listen, "/ip4/127.0.0.1/tcp/0"), "chain.backend=" + cmp.Or(c.Backend, "core")}
	if c.Backend == "neutrino" {
		settings = append(settings, "chain.neutrino.peers="+cmp.Or(c.P2P, w.Bitcoin.P2P))
	} else {
		settings = append(settings, "chain.core.url="+cmp.Or(c.RPC, w.Bitcoin.URL()), "chain.core.user="+w.Bitcoin.User,
			"chain.core.password=@"+w.RPCFile)
	}
	args := append([]string{"init", "--network", "regtest", "--name", n.Name, "--passphrase-file", w.PassFile}, flags...)
	if !slices.Contains(flags, "--mnemonic-file") && !slices.Contains(flags, "--no-seed") && !slices.ContainsFunc(c.Settings, func(s string) bool { return strings.HasPrefix(s, "signer=") }) {
		// As people are told to: put away once they are on paper.
		file := n.Dir + ".words"
		args = append(args, "--words-file", file)
		defer func() { _ = os.Remove(file) }()
	}
	n.PeerID = Ask[struct {
		PeerID string `json:"peer_id"`
	}](n, append(args, set(append(settings, c.Settings...))...)...).PeerID
}

// set are the flags of settings.
func set(settings []string) []string {
	var flags []string
	for _, s := range settings {
		flags = append(flags, "--set", s)
	}
	return flags
}

// Launch runs `quorate start` with more settings, does not wait until the node is
// ready, and leaves the process to the caller.
func (n *Node) Launch(settings ...string) (*Process, error) { return n.Spawn(n.starting(settings)...) }

// Start runs `quorate start` with more settings, and returns when the node says
// that it is ready. Its log is of everything.
func (n *Node) Start(settings ...string) *Node {
	n.T.Helper()
	n.Up(n.starting(append([]string{"log.level=debug"}, settings...))...)
	return n
}

func (n *Node) starting(settings []string) []string {
	return append([]string{"start", "--json", "--passphrase-file", n.world.PassFile, "--set", "network=regtest"}, set(settings)...)
}

// Synced waits until the node has caught up with the chain: until then it
// refuses to propose and to sign.
func (n *Node) Synced() *Node {
	n.T.Helper()
	n.world.Eventually(n.T, n.Name+" is synced", func() bool { return n.Health().Chain.Synced })
	return n
}

// Health is what the node says of itself.
func (n *Node) Health() api.Status {
	n.T.Helper()
	s, err := n.Client.Status(context.Background())
	if err != nil {
		n.T.Fatalf("%s: status: %v", n.Name, err)
	}
	return s
}

// Wallet is what the node shows of the wallet WalletName.
func (n *Node) Wallet() api.Wallet {
	n.T.Helper()
	w, err := n.Client.Wallet(context.Background(), WalletName)
	if err != nil {
		n.T.Fatalf("%s: look at wallet: %v", n.Name, err)
	}
	return w
}

// Coins are those that the node shows of the wallet WalletName.
func (n *Node) Coins() []api.Coin {
	n.T.Helper()
	c, err := n.Client.Coins(context.Background(), WalletName)
	if err != nil {
		n.T.Fatalf("%s: list coins: %v", n.Name, err)
	}
	return c
}

// Status is where the node sees a proposal, "" where it does not know it.
func (n *Node) Status(proposal string) string {
	n.T.Helper()
	p, err := n.Client.Proposal(context.Background(), proposal)
	var e *api.Error
	if errors.As(err, &e) && e.Kind == api.NotFound {
		return ""
	}
	if err != nil {
		n.T.Fatalf("%s: look at proposal: %v", n.Name, err)
	}
	return p.Status
}

// Reaches waits until the node sees a proposal at one of these.
func (n *Node) Reaches(proposal string, statuses ...string) {
	n.T.Helper()
	n.world.Eventually(n.T, n.Name+" sees the proposal "+strings.Join(statuses, " or "), func() bool {
		return slices.Contains(statuses, n.Status(proposal))
	})
}
