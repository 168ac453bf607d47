package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
)

var _ api.Backend = (*Node)(nil)

// Status says what the node is and how it is.
func (n *Node) Status(ctx context.Context) (api.Status, error) {
	h := n.parts.Chain.Health()
	s := api.Status{
		Name: n.parts.Name, PeerID: peerID(n.net.Author()), Addresses: n.net.Addresses(),
		Network: string(n.parts.Network), Version: n.parts.Version,
		Chain: chainStatus(h), Problem: n.net.Handshakes().Problem(),
	}
	if h.Problem == "" {
		tipCtx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if tip, err := n.parts.Chain.Tip(tipCtx); err == nil {
			s.Chain.Tip = tip.Hash.String()
		}
	}
	for _, a := range n.co.Wallets() {
		s.Wallets = append(s.Wallets, summary(a))
		// Not before each wallet has taken the blocks in: until then it neither
		// proposes nor signs.
		m := a.Machine()
		s.Chain.Synced = s.Chain.Synced && (m.State.Active() == nil || m.View.Synced())
	}
	for _, f := range n.co.Failed() {
		s.Wallets = append(s.Wallets, failedSummary(f))
	}
	peers, err := n.Peers(ctx)
	s.Peers = peers
	return s, err
}

// Peers lists the members of this node's wallets.
func (n *Node) Peers(context.Context) ([]api.Peer, error) { return n.peers(false), nil }

// PendingPeers lists strangers who were refused.
func (n *Node) PendingPeers(context.Context) ([]api.Peer, error) { return n.peers(true), nil }

func (n *Node) peers(pending bool) []api.Peer {
	var out []api.Peer
	for _, p := range n.net.Peers() {
		if p.Pending != pending {
			continue
		}
		x := api.Peer{PeerID: p.PeerID, Addresses: p.Addresses, Connected: p.Connected, Relayed: p.Relayed, Rejects: map[string]uint64{}}
		for rule, count := range p.Rejects {
			x.Rejects[rule] += count
		}
		for _, a := range n.co.Wallets() {
			a.Read(func(m *coordinator.Machine) {
				if c, ok := m.Member(p.Peer); ok && x.Member == nil {
					who := person(c)
					x.Member = &who
				}
				for rule, count := range m.Faults()[p.Peer] {
					x.Rejects[rule] += count
				}
			})
		}
		if !p.LastSeen.IsZero() {
			t := api.Time(p.LastSeen)
			x.LastSeen = &t
		}
		out = append(out, x)
	}
	return out
}

// AddPeer makes an address of a member known, and dials it.
func (n *Node) AddPeer(_ context.Context, r api.AddPeer) (api.Peer, error) {
	a, err := n.net.AddAddress(r.Multiaddr)
	if err != nil && !errors.Is(err, p2p.ErrNotMember) {
		return api.Peer{}, api.Misuse("bad_multiaddr", "add peer: "+err.Error(), "give a multiaddr that ends in /p2p/ and a peer id")
	}
	id := peerID(a)
	for _, p := range n.peers(false) {
		if p.PeerID == id {
			return p, nil
		}
	}
	return api.Peer{}, api.Refuse("not_a_member", "add peer: "+id+" is not a member of a wallet of this node", "a member joins with an invite")
}

// Subscribe streams everything that changes.
func (n *Node) Subscribe(ctx context.Context) (<-chan api.Event, error) {
	c, cancel := n.hub.subscribe()
	context.AfterFunc(ctx, cancel)
	return c, nil
}

// actor finds a wallet by its id, else by a unique prefix of that, or by what
// this node calls it. Where a prefix and a name lead to different wallets, none
// is taken: names are chosen, by others too.
func (n *Node) actor(ref string) (*coordinator.Actor, error) {
	a, err := findWallet(n.co.Wallets(), ref)
	for _, f := range n.co.Failed() {
		named := f.Name != "" && f.Name == ref
		if !named && (!isID(ref) || !strings.HasPrefix(f.Group.String(), ref)) || a != nil && a.Group().String() == ref {
			continue
		}
		if a != nil && !named {
			return nil, api.Misuse("ambiguous_id", "wallet id "+ref+" is not unique", "give more of its characters")
		}
		return nil, api.Fail(coordinator.RuleWalletFailed, "the wallet could not be opened: "+f.Err.Error(), "stop the node and run `quorate doctor`")
	}
	return a, err
}

// isID says whether a text may be an id of a wallet, or the beginning of one.
func isID(ref string) bool {
	return len(ref) >= api.MinRead && strings.Trim(ref, "0123456789abcdef") == ""
}

func findWallet(all []*coordinator.Actor, ref string) (*coordinator.Actor, error) {
	var prefixed, named, abandoned []*coordinator.Actor
	for _, a := range all {
		id := a.Group().String()
		if id == ref {
			return a, nil
		}
		if isID(ref) && strings.HasPrefix(id, ref) {
			prefixed = append(prefixed, a)
		}
		switch m := a.Machine(); {
		case !m.NamedHere(ref) || len(ref) == len(id) && isID(ref): // a whole id is no name
		case m.State.Abandoned():
			abandoned = append(abandoned, a)
		default:
			named = append(named, a)
		}
	}
	if len(named) == 0 {
		named = abandoned
	}
	both := slices.Concat(prefixed, named)
	slices.SortFunc(both, func(a, b *coordinator.Actor) int { return cmp.Compare(a.Group().String(), b.Group().String()) })
	switch both = slices.Compact(both); {
	case len(both) == 1:
		return both[0], nil
	case len(both) == 0:
		return nil, api.Missing("unknown_wallet", "wallet "+ref+" is not known to this node", "`quorate wallet list` lists them")
	case len(named) == 0:
		return nil, api.Misuse("ambiguous_id", "wallet id "+ref+" is not unique", "give more of its characters")
	case len(prefixed) == 0:
		return nil, api.Misuse("ambiguous_wallet", "several wallets are named "+ref, "name it by its id")
	}
	return nil, api.Misuse("ambiguous_wallet", fmt.Sprintf("%s is the name of wallet %s, and another's id begins with it", ref, named[0].Group()), "name it by its whole id; `quorate wallet rename` gives it another name")
}

// stateFailed is the state of a wallet that could not be opened, or that this
// program fails to read.
const stateFailed = "failed"

func failedSummary(f coordinator.FailedWallet) api.WalletSummary {
	return api.WalletSummary{Wallet: f.Group.String(), Name: f.Name, State: stateFailed, Problem: f.Err.Error()}
}

func summary(a *coordinator.Actor) api.WalletSummary {
	out := api.WalletSummary{Wallet: a.Group().String(), State: stateFailed}
	a.Read(func(m *coordinator.Machine) { out = summaryOf(a, m) })
	return out
}

func summaryOf(a *coordinator.Actor, m *coordinator.Machine) api.WalletSummary {
	return api.WalletSummary{Wallet: a.Group().String(), Name: m.Name(), FounderName: m.FounderName(), State: m.Phase(), AwaitingProof: m.AwaitsProof(), AwaitingHosted: awaitingHosted(m), Alarms: alarms(m), Restored: restored(m), Incomplete: incomplete(m.View.Incomplete())}
}

func restored(m *coordinator.Machine) *api.Restored {
	r := m.Restored()
	if r == nil {
		return nil
	}
	out := &api.Restored{Since: api.Time(r.At), Unread: r.Unread, Writes: r.Writes}
	for _, c := range r.Unsynced {
		out.Unsynced = append(out.Unsynced, person(c.Member))
	}
	for _, c := range r.UnreadBy {
		out.UnreadBy = append(out.UnreadBy, person(c.Member))
	}
	return out
}

// peerID is the libp2p form of an identity.
func peerID(a journal.Author) string {
	id, err := p2p.PeerID(a)
	if err != nil {
		return ""
	}
	return id.String()
}

// inviteAddresses are those of this node without its peer id, which an invite
// carries as the founder.
func (n *Node) inviteAddresses() []string {
	var out []string
	for _, a := range n.net.Addresses() {
		bare, _, _ := strings.Cut(a, "/p2p/"+peerID(n.net.Author()))
		out = append(out, bare)
	}
	return out
}
