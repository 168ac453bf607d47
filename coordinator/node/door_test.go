package node

import (
	"cmp"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// secondTakers hears of second takers only.
type secondTakers struct {
	mu   sync.Mutex
	told []string
}

func (s *secondTakers) Notify(n port.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Status == coordinator.AlarmSecondTaker {
		s.told = append(s.told, n.Detail)
	}
}

// Whoever presents an invite that another node used is refused, and the node that
// issued it says so: once for each, and of few of them.
func TestASecondTakerOfAnInviteIsTold(t *testing.T) {
	c, invites := founded(t, 2, 3, 3)
	founder, b := c.peers[0], c.peers[1]
	c.join(b, invites[0], b.key())
	c.join(c.peers[2], invites[1], c.peers[2].key())
	m, err := coordinator.Load(t.Context(), &founder.Disk, founder.self, founder.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	var heard secondTakers
	ports := Ports{
		Store: &founder.Disk, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
		Clock: wallClock{}, Observer: &heard, Log: slog.New(slog.DiscardHandler),
	}
	n := New(t.Context(), ports, founder.self, wallet.Regtest, "A")
	defer n.Close()
	n.actors[m.State.Group()] = NewActor(n.ctx, n.ports, m)
	present := func(who journal.Author, inv port.Invite) error {
		nonce := [32]byte{7}
		_, err := n.Door().Admit(t.Context(), inv.Group, who, nonce, inv.Proof(who, nonce), nil)
		return err
	}
	if err := present(b.id(), invites[0]); err != nil || len(heard.told) != 0 {
		t.Fatalf("the first taker again: %v, told %v", err, heard.told)
	}
	z := c.peers[2].id()
	for range 3 {
		if err := present(z, invites[0]); !errors.Is(err, port.ErrInviteUsed) {
			t.Fatalf("a second taker: %v", err)
		}
	}
	if len(heard.told) != 1 || !strings.Contains(heard.told[0], z.String()) {
		t.Errorf("told %q", heard.told)
	}
	if !strings.Contains(heard.told[0], cmp.Or(founder.m.MemberName(b.id()), b.id().String())+" used it") {
		t.Errorf("it does not say who used it: %q", heard.told)
	}
	for i := range 20 {
		if err := present(journal.Author{byte(i), 1}, invites[0]); !errors.Is(err, port.ErrInviteUsed) {
			t.Fatalf("another one: %v", err)
		}
	}
	if len(heard.told) != 2 {
		t.Errorf("told of %d", len(heard.told))
	}
	// Whoever presents its own under many names does not keep the news of another quiet.
	thief := newPeer(t, "T", 77, &c.clock)
	if err := present(thief.id(), invites[1]); !errors.Is(err, port.ErrInviteUsed) {
		t.Fatalf("the thief of another invite: %v", err)
	}
	if last := heard.told[len(heard.told)-1]; len(heard.told) != 3 || !strings.Contains(last, thief.id().String()) {
		t.Errorf("told of %d, the last %q", len(heard.told), last)
	}
}
