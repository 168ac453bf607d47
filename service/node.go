package service

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

var _ api.Backend = (*Node)(nil)

// Parts are what a Node answers from.
type Parts struct {
	Name    string // of the node, as its owner named it
	Network wallet.Network
	Version string
	Wallets *node.Node
	Chain   port.Chain
	Net     Network
	Hub     *Hub // hears the notices of Wallets
	// Backup writes what a backup holds of the store (see api.NodeBackend).
	Backup func(ctx context.Context, w io.Writer) error
	// Own says how the node itself is, beside its wallets.
	Own func() Own
	// Doctor looks at everything that the node holds (see api.NodeBackend).
	Doctor func(ctx context.Context) (api.Examination, error)
	Log    *slog.Logger
}

// Own is how a node itself is, beside its wallets.
type Own struct {
	Alarms []api.Alarm
	// DiskFree is nil where it is not known, LastBackup where none was made.
	DiskFree   *uint64
	LastBackup *time.Time
}

// Network is what the API tells of the network, and asks of it. It is safe for
// concurrent use.
type Network interface {
	// Author is this node, as others know it.
	Author() journal.Author
	// Addresses are where this node is reached: multiaddrs with its peer id.
	Addresses() []string
	// Peers are the members of this node's wallets, and strangers who were refused.
	Peers() []port.PeerStatus
	// AddAddress makes an address of a member known, and dials it. Of who is no
	// member it keeps nothing, and returns the author with port.ErrNotMember.
	AddAddress(multiaddr string) (journal.Author, error)
	// Problem says what keeps others from connecting; empty where nothing does.
	Problem() string
}

// Node answers the API for a running node. It is safe for concurrent use.
type Node struct {
	parts Parts
	co    *node.Node
	net   Network
	hub   *Hub

	// twins is held while a wallet is held against the others and then comes into
	// use: of two with the same scripts only one may.
	twins sync.Mutex
}

// New returns a Node that answers from its parts. It starts nothing.
func New(p Parts) *Node { return &Node{parts: p, co: p.Wallets, net: p.Net, hub: p.Hub} }

// PeerID is the node's own, as libp2p writes it.
func (n *Node) PeerID() string { return PeerID(n.net.Author()) }

// PeerID is the libp2p form of an identity.
func PeerID(a journal.Author) string { return group.Member{Identity: a}.ID() }

// Backup writes what a backup holds of the store, as of one moment (see
// api.NodeBackend).
func (n *Node) Backup(ctx context.Context, w io.Writer) error { return n.parts.Backup(ctx, w) }

// Doctor looks at everything that the node holds (see api.NodeBackend).
func (n *Node) Doctor(ctx context.Context) (api.Examination, error) { return n.parts.Doctor(ctx) }

// Events lists what happened after an event.
func (n *Node) Events(ctx context.Context, q api.EventQuery) (api.EventPage, error) {
	told, last, dropped, err := n.co.Notices(ctx, q.After, q.Limit)
	if err != nil {
		return api.EventPage{}, n.apiError(err)
	}
	// An id that was never given is of another outbox: of before a restore.
	page := api.EventPage{Last: last, Reset: q.After > 0 && (q.After < dropped || q.After > last)}
	for _, t := range told {
		e := eventOf(t.Notice)
		e.ID = t.Number
		page.Items = append(page.Items, e)
	}
	if n := len(told); n == q.Limit && n > 0 && told[n-1].Number < last {
		page.Next = api.Text(strconv.FormatUint(told[n-1].Number, 10))
	}
	return page, nil
}

// Subscribe streams everything that changes.
func (n *Node) Subscribe(ctx context.Context) (<-chan api.Event, error) {
	c, cancel := n.hub.subscribe()
	context.AfterFunc(ctx, cancel)
	return c, nil
}
