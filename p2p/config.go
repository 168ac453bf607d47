package p2p

import (
	"log/slog"
	"net/netip"

	"github.com/libp2p/go-libp2p"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Config is what a node needs to know. Addresses are multiaddr text.
type Config struct {
	// Identity is this node's Ed25519 key, which is also its peer ID.
	Identity *journal.Identity
	// Listen are the addresses to listen on; none means to dial out only.
	Listen []string
	// Ports are what Ports of the node gave when it ran before: a port of 0 in Listen
	// is the same one again, where it is free.
	Ports []string
	// ExternalAddrs are addresses under which others reach this node.
	ExternalAddrs []string
	// Bootstrap are addresses of members, each ending in /p2p/<peer ID>.
	Bootstrap []string
	// Relays are relays to reserve a slot at, each ending in /p2p/<peer ID>.
	Relays []string
	// MDNS looks for members in the local network, and shows this node there.
	MDNS bool
	// Log may be nil.
	Log *slog.Logger
	// ToldNetworks are ranges of IP addresses, beyond the public ones and those of
	// networks that this host is in, where members may be by what they or others
	// tell. Addresses that its owner gives may be anywhere.
	ToldNetworks []netip.Prefix
	// Book remembers addresses across restarts; it may be nil.
	Book port.AddressBook
	// Doorman answers invites; nil means that none is ever open.
	Doorman port.Doorman
	// ExtraOptions are added to the host's, for tests on virtual networks.
	ExtraOptions []libp2p.Option
	// Tap, if not nil, is given every raw message ("pubsub", "sync", "join") as
	// it is handed to the transport or comes from it, before encryption. It is
	// called concurrently. It is for tests that look for secrets in them.
	Tap func(kind string, frame []byte)
}
