package p2ptest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func testNonMember(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b, x := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 9)
	meet(t, w, g, a, b)
	// x knows the group, its topic and every address, but nobody has it as a member.
	attach(t, x, link(w, g, []*member{a, b}, authors(a, b, x)...))
	Eventually(t, "the stranger is shown as pending", func() bool { return status(a.Peer, x.Author()).Pending })
	e := a.publish(t)
	Eventually(t, "members hear each other", func() bool { return b.in.Has(e) })
	x.Sync(g.ID(), nil)
	f := x.publish(t)
	e = a.publish(t)
	Eventually(t, "members hear each other", func() bool { return b.in.Has(e) })
	if x.in.Len() != 1 || a.in.Has(f) || b.in.Has(f) {
		t.Error("a non-member was heard or heard something")
	}
	s := status(a.Peer, x.Author())
	if s.Connected || !s.Pending || s.PeerID == "" {
		t.Errorf("status of a stranger: %+v", s)
	}
	// Once it is a member, it is in.
	for _, m := range []*member{a, b, x} {
		attach(t, m, link(w, g, []*member{a, b, x}, authors(a, b, x)...))
	}
	Eventually(t, "a new member catches up", func() bool { return x.in.Has(e) && a.in.Has(f) })
	if status(a.Peer, x.Author()).Pending {
		t.Error("a member is pending")
	}
}

func testOtherGroup(t *testing.T, w Network) {
	g, h := NewGroup(1), NewGroup(2)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	meet(t, w, g, a, b)
	// a has another group without b; b knows all about it.
	secret := NewInbox()
	NewWriter(a.id, h, 1).Fill(t, secret, 3)
	if err := a.Attach(context.Background(), link(w, h, nil, a.Author()), secret); err != nil {
		t.Fatal(err)
	}
	prying := NewInbox()
	if err := b.Attach(context.Background(), link(w, h, nil, a.Author(), b.Author()), prying); err != nil {
		t.Fatal(err)
	}
	b.Sync(h.ID(), nil)
	Eventually(t, "the attempt is counted", func() bool {
		return status(a.Peer, b.Author()).Rejects[port.RejectNonMember.Name()] > 0
	})
	e := a.publish(t)
	Eventually(t, "the shared group works", func() bool { return b.in.Has(e) })
	if prying.Len() != 0 {
		t.Error("entries of a group leaked to a member of another")
	}
}

func testBadLinks(t *testing.T, w Network) {
	g, h := NewGroup(1), NewGroup(2)
	a := newMember(t, w, g, 1)
	ctx := context.Background()
	good := link(w, g, nil, a.Author())
	attach(t, a, good)
	other := Identity(2).Author()
	for name, l := range map[string]port.GroupLink{
		"without this node":     {Group: h.ID(), Topics: []string{"t"}, Members: []journal.Author{other}},
		"without a topic":       {Group: h.ID(), Members: authors(a)},
		"another group's topic": {Group: h.ID(), Topics: good.Topics, Members: authors(a)},
	} {
		if err := a.Attach(ctx, l, NewInbox()); err == nil {
			t.Errorf("a link %s was taken", name)
		}
	}
	if err := a.Attach(ctx, link(w, h, nil, a.Author()), nil); err == nil {
		t.Error("a link without an inbox was taken")
	}
	if err := a.Detach(h.ID()); err == nil {
		t.Error("a group that is not attached was detached")
	}
	e := NewWriter(a.id, h, 1).Write(t)
	if err := a.Publish(ctx, e); err == nil {
		t.Error("an entry of a group that is not attached was published")
	}
	if err := a.Detach(g.ID()); err != nil {
		t.Errorf("detach: %v", err)
	}
	if err := a.Publish(ctx, a.out.Write(t)); err == nil {
		t.Error("an entry of a detached group was published")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Attach(ctx, good, a.in); err == nil {
		t.Error("a closed transport took a group")
	}
}

func testRemoved(t *testing.T, w Network) {
	g, h := NewGroup(1), NewGroup(2)
	a, b, c := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 3)
	meet(t, w, g, a, b, c)
	// a and b stay joined by a second group as well: leaving one group must cut
	// b off from that one though the two go on to talk.
	a2, b2 := NewInbox(), NewInbox()
	for _, x := range []struct {
		m  *member
		in *Inbox
	}{{a, a2}, {b, b2}} {
		if err := x.m.Attach(context.Background(), link(w, h, []*member{a, b}, authors(a, b)...), x.in); err != nil {
			t.Fatal(err)
		}
	}
	e := a.publish(t)
	for _, m := range []*member{b, c} {
		Eventually(t, "all hear all", func() bool { return m.in.Has(e) })
	}
	attach(t, a, link(w, g, nil, authors(a)...))
	Eventually(t, "c is disconnected", func() bool {
		for _, s := range a.Peers() {
			if s.Peer == c.Author() && s.Connected {
				return false
			}
		}
		return !status(c.Peer, a.Author()).Connected
	})
	Eventually(t, "b is connected for the other group", func() bool { return status(a.Peer, b.Author()).Connected })
	late := a.publish(t)
	wh := NewWriter(a.id, h, 1)
	sign := wh.Fill(t, a2, 1)[0]
	Eventually(t, "the other group hears a", func() bool {
		a.Sync(h.ID(), nil)
		b.Sync(g.ID(), nil)
		c.Sync(g.ID(), nil)
		_ = a.Publish(context.Background(), sign)
		return b2.Has(sign)
	})
	if b.in.Has(late) || c.in.Has(late) {
		t.Error("a removed member heard the group")
	}
}

func testNewTopic(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	meet(t, w, g, a, b)
	next := g.Epoch
	next.Number, next.Parent, next.Secret = 1, g.Epoch.ID(), journal.H("p2ptest secret", []byte("next"))
	l := link(w, g, []*member{a, b}, authors(a, b)...)
	l.Topics = []string{next.Topic(), g.Epoch.Topic()}
	// One after the other, as the rotation reaches them: what one announces
	// before the other knows the topic has to count later.
	attach(t, a, l)
	e := b.publish(t)
	Eventually(t, "the old topic is still heard", func() bool { return a.in.Has(e) })
	attach(t, b, l)
	for _, m := range []*member{a, b} {
		e := m.publish(t)
		for _, o := range []*member{a, b} {
			Eventually(t, "the new topic is heard", func() bool { return o.in.Has(e) })
		}
	}
}

// doorman admits whoever proves the invite it holds.
type doorman struct {
	mu    sync.Mutex
	inv   port.Invite
	grant port.Grant
	bound *journal.Author
	fail  error
	open  bool
}

func (d *doorman) Open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

func (d *doorman) set(open bool, fail error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open, d.fail = open, fail
}

func (d *doorman) Admit(_ context.Context, g journal.GroupID, j journal.Author, nonce, proof [32]byte, _ *port.SuccessionClaim) (port.Grant, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.fail != nil:
		return port.Grant{}, d.fail
	case g != d.inv.Group:
		return port.Grant{}, port.ErrInviteUnknown
	case d.inv.Proof(j, nonce) != proof:
		return port.Grant{}, port.ErrInviteProof
	case d.bound != nil && *d.bound != j:
		return port.Grant{}, port.ErrInviteUsed
	}
	d.bound = &j
	return d.grant, nil
}

func testJoin(t *testing.T, w Network) {
	g := NewGroup(1)
	founder := Identity(1)
	d := &doorman{
		inv:   port.Invite{Group: g.ID(), Founder: founder.Author(), Secret: [32]byte{1, 2, 3}},
		grant: port.Grant{Genesis: []byte("genesis"), Secret: g.Epoch.Secret},
	}
	f := &member{Peer: w.Node(t, founder, d), id: founder, in: NewInbox(), out: NewWriter(founder, g, 1)}
	attach(t, f, link(w, g, nil, f.Author()))
	d.inv.Addresses = w.Addresses(f.Peer)
	ctx := context.Background()

	b, c := newMember(t, w, g, 2), newMember(t, w, g, 3)
	if _, err := b.Join(ctx, d.inv, nil); err == nil {
		t.Error("joined while no invite is open")
	}
	d.set(true, nil)
	// The connection of a join that was refused ends a moment later, maybe just as the
	// next one begins on it: who is turned away so asks again.
	join := func(inv port.Invite) (grant port.Grant, err error) {
		for range 100 {
			if grant, err = b.Join(ctx, inv, nil); !errors.Is(err, port.ErrNoOpenInvite) {
				break
			}
		}
		return grant, err
	}
	for name, c := range map[string]struct {
		change func(*port.Invite)
		fail   error
		want   error
	}{
		"wrong secret": {func(i *port.Invite) { i.Secret[0]++ }, nil, port.ErrInviteProof},
		"wrong group":  {func(i *port.Invite) { i.Group[0]++ }, nil, port.ErrInviteUnknown},
		"expired":      {func(*port.Invite) {}, port.ErrInviteExpired, port.ErrInviteExpired},
		"itself":       {func(i *port.Invite) { i.Founder = b.Author() }, nil, nil},
		"disk full":    {func(*port.Invite) {}, errors.New("disk full"), nil},
	} {
		inv := d.inv
		c.change(&inv)
		d.set(true, c.fail)
		_, err := join(inv)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	d.set(true, nil)
	for _, names := range [][]string{nil, {"Ann", "Bob"}} { // a retry is harmless
		d.mu.Lock()
		d.grant.Names = names
		d.mu.Unlock()
		grant, err := join(d.inv)
		if !slices.Equal(grant.Names, names) {
			t.Errorf("of the names %q came %q", names, grant.Names)
		}
		if err != nil || string(grant.Genesis) != "genesis" || grant.Secret != g.Epoch.Secret {
			t.Fatalf("join: %v, %+v", err, grant)
		}
	}
	if _, err := c.Join(ctx, d.inv, nil); !errors.Is(err, port.ErrInviteUsed) {
		t.Errorf("second taker: %v", err)
	}
	if s := status(f.Peer, b.Author()); s.Connected {
		t.Error("a joiner is shown as a connected member before it is one")
	}
	// The joiner becomes a member: the two find each other without a hint.
	attach(t, f, link(w, g, nil, f.Author(), b.Author()))
	attach(t, b, link(w, g, nil, f.Author(), b.Author()))
	e := f.publish(t)
	Eventually(t, "the joiner hears the founder", func() bool { return b.in.Has(e) })
}

func testPeers(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b, c := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 3)
	members := authors(a, b, c)
	attach(t, a, link(w, g, nil, members...))
	attach(t, b, link(w, g, []*member{a}, members...))
	awaitConnected(t, a, b.Author())
	if n := len(a.Peers()); n != 2 {
		t.Errorf("%d peers, want the 2 other members", n)
	}
	s := status(a.Peer, b.Author())
	if s.PeerID == "" || s.Relayed || s.Pending || s.LastSeen.IsZero() || len(s.Rejects) != 0 {
		t.Errorf("status of a connected member: %+v", s)
	}
	if s := status(a.Peer, c.Author()); s.Connected || s.PeerID == "" || !s.LastSeen.IsZero() {
		t.Errorf("status of a member never seen: %+v", s)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "the member is seen to leave", func() bool {
		s := status(a.Peer, b.Author())
		return !s.Connected && !s.LastSeen.IsZero()
	})
}
