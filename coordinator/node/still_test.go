package node

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// hangingStore does not come back from a commit until it is let go.
type hangingStore struct {
	port.Store
	hang, going chan struct{}
}

func (s hangingStore) Commit(ctx context.Context, b port.Batch) error {
	select {
	case <-s.hang:
		<-s.going
	default:
	}
	return s.Store.Commit(ctx, b)
}

// A wallet whose loop does not come round is named as stuck, and no longer once it does;
// one that has nothing to do is not.
func TestAnActorThatHangsIsStuck(t *testing.T) {
	c, _ := founded(t, 2, 3, 1)
	p := c.peers[0]
	synctest.Test(t, func(t *testing.T) {
		disk := hangingStore{&p.Disk, make(chan struct{}), make(chan struct{})}
		n := New(t.Context(), Ports{
			Store: disk, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, p.self, wallet.Regtest, "A")
		defer n.Close()
		a, err := n.begin(t.Context(), p.m, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		if stuck := n.Stuck(2 * tickEvery); len(stuck) != 0 {
			t.Error("a wallet that has nothing to do counts as stuck")
		}
		close(disk.hang)
		done := make(chan error, 1)
		go func() {
			_, err := a.do(t.Context(), coordinator.Abandon{Reason: "a trial"})
			done <- err
		}()
		<-time.After(time.Minute)
		if stuck := n.Stuck(10 * time.Second); len(stuck) != 1 || stuck[0] != a {
			t.Errorf("%d wallets count as stuck while a commit hangs", len(stuck))
		}
		close(disk.going)
		<-done
		<-time.After(2 * tickEvery)
		if stuck := n.Stuck(10 * time.Second); len(stuck) != 0 {
			t.Error("it counts as stuck though its loop comes round")
		}
	})
}
