package p2p_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// door is a doorman that holds one invite.
type door struct {
	mu   sync.Mutex
	open bool
	inv  port.Invite
}

func (d *door) Open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

func (d *door) Admit(_ context.Context, _ journal.GroupID, j journal.Author, nonce, proof [32]byte, _ *port.SuccessionClaim) (port.Grant, error) {
	if d.inv.Proof(j, nonce) != proof {
		return port.Grant{}, port.ErrInviteProof
	}
	return port.Grant{Genesis: []byte("genesis")}, nil
}

func attachNode(t testing.TB, n *p2p.Node, g p2ptest.Group, hints map[journal.Author][]string, members ...journal.Author) *p2ptest.Inbox {
	t.Helper()
	in := p2ptest.NewInbox()
	l := port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: members, Hints: hints}
	if err := n.Attach(context.Background(), l, in); err != nil {
		t.Fatal(err)
	}
	return in
}

func statusOf(n *p2p.Node, a journal.Author) port.PeerStatus {
	for _, s := range n.Peers() {
		if s.Peer == a {
			return s
		}
	}
	return port.PeerStatus{}
}

// A host outside the group that knows every address gets no connection, and so
// no stream and no topic.
func TestOutsiderIsRefused(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	for _, transport := range []string{"quic-v1", "tcp"} {
		a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
		attachNode(t, a, g, nil, a.Author())
		x := newHostile(t, p2ptest.Identity(9), net.listen...)
		to := info(t, a)
		for _, addr := range to.Addrs {
			if !bytes.Contains([]byte(addr.String()), []byte(transport)) {
				continue
			}
			x.host.Peerstore().ClearAddrs(to.ID)
			to := to
			to.Addrs = to.Addrs[:0:0]
			to.Addrs = append(to.Addrs, addr)
			// Over QUIC the dialer is done before the other side refuses.
			_ = x.host.Connect(context.Background(), to)
			p2ptest.Eventually(t, "the connection is gone", func() bool {
				return x.host.Network().Connectedness(to.ID) == network.NotConnected
			})
		}
		for _, proto := range []protocol.ID{p2p.SyncProtocol, p2p.JoinProtocol, pubsub.GossipSubID_v11} {
			s, err := x.host.NewStream(network.WithNoDial(context.Background(), "test"), to.ID, proto)
			if err == nil {
				_ = s.Reset()
				t.Errorf("an outsider has a stream of %s", proto)
			}
		}
		s := statusOf(a, x.Author())
		if !s.Pending || s.Connected || len(s.Addresses) != 1 {
			t.Errorf("status of an outsider: %+v", s)
		}
	}
}

// While an invite is open a stranger gets a connection and the join protocol,
// and nothing else on it: no topic names, no sync, no gossip. It is sent away
// after its attempt.
func TestStrangerCanOnlyJoin(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	d := &door{open: true}
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), Doorman: d})
	in := attachNode(t, a, g, nil, a.Author())
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	w.Fill(t, in, 1)

	x := newHostile(t, p2ptest.Identity(9), net.listen...)
	x.Meet(t, g, a)
	to := info(t, a).ID
	if x.host.Network().Connectedness(to) != network.Connected {
		t.Fatal("a stranger is not connected though an invite is open")
	}
	// Sync, as a member would speak it.
	s, err := x.host.NewStream(context.Background(), to, p2p.SyncProtocol)
	if err == nil {
		_, _ = s.Write(p2ptest.Encode(t, p2ptest.Hello(g.ID())))
		if b, err := io.ReadAll(s); err == nil || len(b) > 0 {
			t.Errorf("sync answered a stranger with %d bytes (%v)", len(b), err)
		}
	}
	// Gossip: what it says is not heard, and it hears nothing, not even names.
	bad := p2ptest.NewWriter(p2ptest.Identity(9), g, 1).Write(t)
	x.Publish(t, g.Epoch.Topic(), bad.Bytes())
	if err := a.Publish(context.Background(), w.Write(t)); err != nil {
		t.Fatal(err)
	}
	if peers := a.TopicPeers(g.Epoch.Topic()); len(peers) != 0 {
		t.Errorf("a stranger is on the topic: %v", peers)
	}
	if peers := x.ps.ListPeers(g.Epoch.Topic()); len(peers) != 0 {
		t.Errorf("a stranger was told of the topic by %v", peers)
	}
	// Join, with a wrong proof: it is answered, and the connection ends.
	s, err = x.host.NewStream(context.Background(), to, p2p.JoinProtocol)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p2ptest.ReadFrame(s)
	if nonce, _ := f[1].([]byte); err != nil || len(nonce) != 32 {
		t.Fatalf("nonce: %v, %v", f, err)
	}
	group := g.ID()
	if _, err := s.Write(p2ptest.Encode(t, p2ptest.Frame{1: group[:], 2: make([]byte, 32)})); err != nil {
		t.Fatal(err)
	}
	if f, err = p2ptest.ReadFrame(s); err != nil || f[1] != uint64(4) || len(f) != 1 {
		t.Errorf("answer to a wrong proof: %v, %v", f, err)
	}
	_ = s.Close()
	p2ptest.Eventually(t, "the stranger is sent away", func() bool {
		return x.host.Network().Connectedness(to) == network.NotConnected
	})
	if in.Len() != 1 || in.Has(bad) {
		t.Error("a stranger's entry was taken")
	}
}

// A joiner that never asks, or says nonsense, is not answered.
func TestJoinNonsense(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), Doorman: &door{open: true}})
	attachNode(t, a, g, nil, a.Author())
	for i, b := range [][]byte{
		{0, 0, 0, 1, 0xff}, {0xff, 0xff, 0xff, 0xff},
		p2ptest.Encode(t, p2ptest.Frame{1: []byte{1}, 2: []byte{2}}),
		p2ptest.Encode(t, p2ptest.Frame{1: make([]byte, 32)}),
	} {
		x := newHostile(t, p2ptest.Identity(byte(10+i)), net.listen...)
		x.Meet(t, g, a)
		s, err := x.host.NewStream(context.Background(), info(t, a).ID, p2p.JoinProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p2ptest.ReadFrame(s); err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write(b)
		if f, err := p2ptest.ReadFrame(s); err == nil {
			t.Errorf("nonsense %d was answered: %v", i, f)
		}
	}
}

// A founder that answers nonsense, or not at all, makes Join fail.
func TestJoinBadFounder(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	nonce := p2ptest.Encode(t, p2ptest.Frame{1: make([]byte, 32)})
	for name, answers := range map[string][]byte{
		"nothing":         nil,
		"short nonce":     p2ptest.Encode(t, p2ptest.Frame{1: make([]byte, 31)}),
		"no grant":        nonce,
		"unknown outcome": append(bytes.Clone(nonce), p2ptest.Encode(t, p2ptest.Frame{1: 99})...),
		"empty grant":     append(bytes.Clone(nonce), p2ptest.Encode(t, p2ptest.Frame{1: 0})...),
		"huge grant":      append(bytes.Clone(nonce), 0xff, 0xff, 0xff, 0xff),
	} {
		x := newHostile(t, p2ptest.Identity(9), net.listen...)
		x.host.SetStreamHandler(p2p.JoinProtocol, func(s network.Stream) {
			_, _ = s.Write(answers)
			_ = s.CloseWrite()
		})
		inv := port.Invite{Group: g.ID(), Founder: x.Author()}
		for _, addr := range x.host.Addrs() {
			inv.Addresses = append(inv.Addresses, addr.String())
		}
		if _, err := b.Join(context.Background(), inv, nil); err == nil {
			t.Errorf("%s: joined", name)
		}
		if err := x.host.Close(); err != nil {
			t.Fatal(err)
		}
	}
	inv := port.Invite{Group: g.ID(), Founder: p2ptest.Identity(9).Author()}
	for _, addrs := range [][]string{nil, {"not an address"}, {"/ip4/127.0.0.1/tcp/1"}} {
		inv.Addresses = addrs
		if _, err := b.Join(context.Background(), inv, nil); !errors.Is(err, port.ErrFounderAway) {
			t.Errorf("join at %v: %v", addrs, err)
		}
	}
}

// A founder that is there and lets nobody in is told from one that is away.
func TestJoinWhereNoInviteIsOpen(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	attachNode(t, a, g, nil, a.Author())
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	for _, addr := range info(t, a).Addrs {
		if strings.Contains(addr.String(), "p2p-circuit") {
			continue
		}
		inv := port.Invite{Group: g.ID(), Founder: a.Author(), Addresses: []string{addr.String()}}
		if _, err := b.Join(context.Background(), inv, nil); !errors.Is(err, port.ErrNoOpenInvite) {
			t.Errorf("join at %s: %v", addr, err)
		}
	}
}

// Strangers who come while an invite is open and say nothing are sent away, and
// whoever has the invite gets in: it has only to try again.
func TestSilentStrangersLeave(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	d := &door{open: true}
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), Doorman: d})
	attachNode(t, a, g, nil, a.Author())
	d.inv = port.Invite{Group: g.ID(), Founder: a.Author(), Addresses: a.ListenAddrs()}
	// As many as one address may have, with a stream for joining that carries no
	// proof.
	var crowd []*hostile
	for n := range byte(4) {
		x := newHostile(t, p2ptest.Identity(10+n))
		x.Meet(t, g, a)
		s, err := x.host.NewStream(context.Background(), info(t, a).ID, p2p.JoinProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p2ptest.ReadFrame(s); err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, x)
	}
	refused := 0
	p2ptest.Eventually(t, "the one with the invite is let in", func() bool {
		_, err := b.Join(context.Background(), d.inv, nil)
		if err != nil && !errors.Is(err, port.ErrNoOpenInvite) {
			t.Fatal(err)
		}
		if err != nil {
			refused++
		}
		return err == nil
	})
	if refused == 0 {
		t.Error("nobody crowded the door")
	}
	for _, x := range crowd {
		p2ptest.Eventually(t, "a stranger that says nothing is gone", func() bool {
			return x.host.Network().Connectedness(info(t, a).ID) == network.NotConnected
		})
	}
}
