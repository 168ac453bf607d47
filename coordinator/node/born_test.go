package node

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// quietTransport is a network with nobody in it.
type quietTransport struct{ port.Transport }

func (quietTransport) Attach(context.Context, port.GroupLink, port.Inbox) error { return nil }
func (quietTransport) Sync(journal.GroupID, *journal.Author)                    {}
func (quietTransport) Peers() []port.PeerStatus                                 { return nil }

// datedChain learns its headers while a wallet waits for them.
type datedChain struct {
	port.Chain
	asked    chan time.Time
	height   chan int32
	followed chan int32
}

func (d datedChain) HeightAt(ctx context.Context, t time.Time) (int32, error) {
	d.asked <- t
	select {
	case h := <-d.height:
		return h, nil
	default:
		return 0, port.ErrNotSynced
	}
}

func (d datedChain) Follow(ctx context.Context, _ []port.BlockRef, from int32, _ [][]byte) (port.Follower, error) {
	d.followed <- from
	return nil, errors.Join(ctx.Err(), port.ErrUnsupported)
}

func (d datedChain) Health() port.ChainHealth { return port.ChainHealth{Synced: true} }

type wallClock struct{}

func (wallClock) Now() time.Time         { return time.Now() }
func (wallClock) Entropy(b []byte) error { _, err := rand.Read(b); return err }

type nobody struct{}

func (nobody) Notify(port.Notice) {}

// A wallet made while headers are still coming is followed once they are there,
// from a week before it was made, and remembers that.
func TestAWalletBeginsWhenItWasMade(t *testing.T) {
	c := active(t, 2, 3)
	p := c.peers[0]
	delete(p.Kept, ledger.RecView)
	m, created := p.stored(), time.Unix(c.clock.Unix(), 0)
	synctest.Test(t, func(t *testing.T) {
		chain := datedChain{asked: make(chan time.Time, 100), height: make(chan int32, 1), followed: make(chan int32, 100)}
		a := NewActor(t.Context(), Ports{
			Store: &p.Disk, Transport: quietTransport{}, Chain: chain, Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, m)
		defer a.Close()
		synctest.Wait()
		if at := <-chain.asked; !at.Equal(created.Add(-bornBefore)) {
			t.Errorf("asked for the height at %v, the wallet is of %v", at, created)
		}
		select {
		case from := <-chain.followed:
			t.Fatalf("followed from %d before the headers are there", from)
		default:
		}
		chain.height <- 700_000
		if from := <-chain.followed; from != 700_000 {
			t.Errorf("followed from %d", from)
		}
		if got := a.Machine().View.Birthday(); got != 700_000 {
			t.Errorf("the view begins at %d", got)
		}
	})
	again, err := coordinator.Load(t.Context(), &p.Disk, p.self, m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	if again.View.Birthday() != 700_000 {
		t.Errorf("after a restart it begins at %d", again.View.Birthday())
	}
}
