package node

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// dryClock has no entropy the first time that it is asked.
type dryClock struct {
	wallClock
	asked *atomic.Int32
}

func (c dryClock) Entropy(b []byte) error {
	if c.asked.Add(1) == 1 {
		return errors.New("the pool is dry")
	}
	return c.wallClock.Entropy(b)
}

// countingTransport counts what is attached to it.
type countingTransport struct {
	quietTransport
	attached *atomic.Int32
}

func (c countingTransport) Attach(context.Context, port.GroupLink, port.Inbox) error {
	c.attached.Add(1)
	return nil
}

// A new wallet whose first step failed is attached to the network by the next one.
func TestANewWalletIsAttachedThoughItsFirstStepFails(t *testing.T) {
	c, _ := founded(t, 2, 3, 1)
	p := c.peers[0]
	synctest.Test(t, func(t *testing.T) {
		var asked, attached atomic.Int32
		n := New(t.Context(), Ports{
			Store: &p.Disk, Transport: countingTransport{attached: &attached}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: dryClock{asked: &asked}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, p.self, wallet.Regtest, "A")
		defer n.Close()
		// As Found returned it: it says that the transport was told already.
		if _, err := n.begin(t.Context(), p.m, nil); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * tickEvery)
		synctest.Wait()
		if asked.Load() < 2 || attached.Load() != 1 {
			t.Errorf("asked for entropy %d times, attached %d times", asked.Load(), attached.Load())
		}
	})
}
