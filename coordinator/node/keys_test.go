package node

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/wallet"
)

// betweenStore does something once, after the number of an account was read and before
// who read it goes on.
type betweenStore struct {
	port.Store
	done *atomic.Bool
	do   func()
}

func (s betweenStore) Commit(ctx context.Context, b port.Batch) error {
	if !s.done.Swap(true) {
		s.do()
	}
	return s.Store.Commit(ctx, b)
}

// accounts is a signer of one seed.
type accounts struct {
	port.Signer
	of *peer
}

func (s accounts) AccountKey(_ context.Context, script wallet.ScriptType, n uint32) (wallet.Key, error) {
	a, err := wallet.DeriveAccount(s.of.seed, wallet.Regtest, script, n)
	if err != nil {
		return wallet.Key{}, err
	}
	return a.Key(), nil
}

// A member that takes its old place while another wallet is founded keeps its account:
// the number of the next one does not go back.
func TestNoAccountIsGivenTwice(t *testing.T) {
	p := newPeer(t, "A", 1, nil)
	disk := porttest.NewDisk()
	n := New(t.Context(), Ports{Signer: accounts{of: p}}, p.self, wallet.Regtest, "A")
	defer n.Close()
	taken := make(chan error, 1)
	n.ports.Store = betweenStore{&disk, new(atomic.Bool), func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			taken <- n.useAccount(t.Context(), wallet.ScriptWSH, 7)
		}()
		select { // it is written now, or once who came first is through
		case <-done:
		case <-time.After(100 * time.Millisecond):
		}
	}}
	k, err := n.newKey(t.Context(), wallet.ScriptWSH)
	if err != nil || k.Account != 0 {
		t.Fatalf("account %d: %v", k.Account, err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if next, err := n.nextAccount(t.Context(), wallet.ScriptWSH); err != nil || next != 8 {
		t.Errorf("account 7 is in use, and the next one is %d: %v", next, err)
	}
}
