package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/journal"
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

// hangingSigner does not answer until it is let go or the question is given up.
type hangingSigner struct {
	port.Signer
	asked, going chan struct{}
}

func (s hangingSigner) AccountKey(ctx context.Context, _ wallet.ScriptType, _ uint32) (wallet.Key, error) {
	s.asked <- struct{}{}
	select {
	case <-s.going:
		return wallet.Key{}, errors.New("no such key")
	case <-ctx.Done():
		return wallet.Key{}, ctx.Err()
	}
}

// While a signer does not answer, whoever founds a wallet waits, and nobody else: what
// keeps the node alive, serves strangers and lists wallets asks the same node. Who waits
// to found another one may give up, and a node that stops waits for none of them.
func TestAHangingSignerKeepsNobodyElseWaiting(t *testing.T) {
	disk := porttest.NewDisk()
	s := hangingSigner{asked: make(chan struct{}, 1), going: make(chan struct{})}
	n := New(t.Context(), Ports{
		Store: &disk, Signer: s, Chain: datedChain{}, Transport: muteTransport{}, Clock: wallClock{}, Observer: nobody{},
		Log: slog.New(slog.DiscardHandler),
	}, newPeer(t, "A", 1, nil).self, wallet.Regtest, "A")
	in := func(what string, do func()) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			do()
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Errorf("%s waits for the signer", what)
		}
	}
	found := func(ctx context.Context, name string) error {
		_, _, err := n.Create(ctx, Founding{Name: name, Threshold: 2, Cosigners: 3, Script: wallet.ScriptWSH})
		return err
	}
	first := make(chan error, 1)
	go func() { first <- found(t.Context(), "savings") }()
	<-s.asked
	in("Stuck", func() { n.Stuck(time.Minute) })
	in("Wallet", func() { n.Wallet(journal.GroupID{1}) })
	in("Failed", func() { n.Failed() })
	in("the door", func() { n.Door().Open() })
	gone, leave := context.WithCancel(t.Context())
	leave()
	in("who has gone", func() {
		if err := found(gone, "holidays"); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone: %v", err)
		}
	})
	in("a stop", n.Close)
	in("who founds", func() {
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who founds while the node stops: %v", err)
		}
	})
	in("a stopped node", func() {
		if err := found(t.Context(), "late"); !errors.Is(err, ErrStopped) {
			t.Errorf("a stopped node founds: %v", err)
		}
	})
}
