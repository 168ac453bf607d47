package p2p

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"

	"github.com/quorate/quorate/journal"
)

// named is a message that names an author, of some size.
func named(a journal.Author, size int) *pb.Message {
	raw := bytes.Repeat([]byte{1}, size)
	copy(raw[authorAt:], a[:])
	return &pb.Message{Data: raw}
}

// An entry names its author where the rates look for it.
func TestAuthorAt(t *testing.T) {
	id := testIdentity(2)
	e, err := journal.Seal(id, journal.Epoch{}, journal.Next{Incarnation: 1, Seq: 1}, []byte("x"), [24]byte{})
	if err != nil {
		t.Fatal(err)
	}
	a := id.Author()
	if !bytes.Equal(e.Bytes()[authorAt:authorAt+len(a)], a[:]) {
		t.Error("the author is elsewhere")
	}
}

// Who floods in its own name, or in another's, uses up no rate of others; what
// is over a rate is dropped, and comes back with time.
func TestGossipRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(testGate(t, nil).reg)
		member, self := testIdentity(2).Author(), testIdentity(1).Author()
		stranger := testIdentity(9).Author()
		flood := func(a journal.Author, n, size int) int {
			var ms []*pb.Message
			for range n {
				ms = append(ms, named(a, size))
			}
			return len(r.keep(member, ms))
		}
		for _, c := range []struct {
			what string
			of   journal.Author
		}{{"its own name", member}, {"this node's name", self}, {"a stranger's name", stranger}} {
			if got := flood(c.of, 3*gossipBurst, 200); got != gossipBurst {
				t.Errorf("%d entries in %s", got, c.what)
			}
		}
		if got := flood(journal.Author{7}, 10, 200); got != 0 {
			t.Errorf("%d entries in the name of a second stranger", got)
		}
		<-time.After(time.Second)
		if got := flood(member, 3*gossipBurst, 200); got != gossipPerSec {
			t.Errorf("%d entries a second later", got)
		}
		<-time.After(time.Hour)
		if got, want := flood(member, 300, journal.MaxEntrySize), gossipBytes/journal.MaxEntrySize; got < want || got > want+1 {
			t.Errorf("%d of the largest entries, want %d", got, want)
		}
		if got := len(r.keep(member, []*pb.Message{{Data: []byte("short")}, nil, {}})); got != 0 && len(r.gossip) > 3 {
			t.Errorf("%d ways", len(r.gossip))
		}
		r.reg.detach(journal.GroupID{})
		r.forget()
		for w := range r.gossip {
			if w.peer == member {
				t.Error("a peer that left is remembered")
			}
		}
	})
}

// Who asks for more than the rate waits, and does not wait for ever.
func TestServingIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p, began := newRates(testGate(t, nil).reg), testIdentity(2).Author(), time.Now()
		for range servedBytes / maxBatchBytes {
			if err := r.pace(t.Context(), p, maxBatchBytes); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the first of it took %v", took)
		}
		if err := r.pace(t.Context(), p, servedBytesSec); err != nil || time.Since(began) != time.Second {
			t.Errorf("a second's worth took %v: %v", time.Since(began), err)
		}
		if err := r.pace(t.Context(), testIdentity(3).Author(), maxBatchBytes); err != nil || time.Since(began) != time.Second {
			t.Errorf("another peer waited too: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := r.pace(ctx, p, servedBytes); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("a wait over its time: %v", err)
		}
	})
}

func TestDeferredChains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a := newFlow(), testIdentity(2).Author()
		f.defers(a, time.Minute)
		if !f.deferred(a) || f.deferred(testIdentity(3).Author()) {
			t.Error("the wrong author is deferred")
		}
		<-time.After(time.Minute)
		if f.deferred(a) || len(f.later) != 0 {
			t.Error("deferred for too long")
		}
	})
}
