package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/wallet"
)

// trimming notes what it is to keep, and may refuse.
type trimming struct {
	porttest.Disk
	mu   sync.Mutex
	keep []port.NoticeLimits
	err  error
}

func (s *trimming) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *trimming) TrimNotices(_ context.Context, keep port.NoticeLimits) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = append(s.keep, keep)
	return s.err
}

func (s *trimming) Commit(ctx context.Context, b port.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return s.Disk.Commit(ctx, b)
}

// What the node itself tells is kept and then told, and what is old is dropped.
func TestNoticesOfTheNode(t *testing.T) {
	c, _ := founded(t, 2, 3, 1)
	synctest.Test(t, func(t *testing.T) {
		var told notices
		disk := &trimming{Disk: porttest.NewDisk()}
		n := New(t.Context(), Ports{Store: disk, Clock: wallClock{}, Observer: &told, Log: slog.New(slog.DiscardHandler)}, c.peers[0].self, wallet.Regtest, "A")
		if err := n.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := port.Notice{Type: port.NoticeAlarm, Status: "disk_full", Detail: "d"}
		if err := n.Tell(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		got, last, dropped, err := n.Notices(t.Context(), 0, 10)
		if err != nil || len(got) != 1 || got[0].Number != last || dropped != 0 || got[0].Status != "disk_full" || len(told) != 1 || !got[0].Time.Equal(time.Now()) {
			t.Fatalf("%+v, %d, %d, %v; told %+v", got, last, dropped, err, told)
		}
		disk.refuse(errors.New("no"))
		<-time.After(3*trimEvery + time.Second)
		synctest.Wait()
		want := port.NoticeLimits{Since: time.Now().Add(-keptFor - time.Second).UnixMilli(), Alarms: keptAlarms, Others: keptNotices}
		if len(disk.keep) != 4 || disk.keep[3] != want {
			t.Errorf("trimmed %+v, want %+v at last", disk.keep, want)
		}
		if err := n.Tell(t.Context(), x); err == nil || len(told) != 1 {
			t.Errorf("what is not kept is told: %v", err)
		}
		n.Close()
	})
}

// Of the second taker of an invite it is told in the outbox, though no step does it.
func TestSecondTakerIsKept(t *testing.T) {
	c := active(t, 2, 3)
	p := c.peers[0]
	var told notices
	a := &Actor{ports: Ports{Store: &p.Disk, Clock: wallClock{}, Log: slog.New(slog.DiscardHandler), Observer: &told}, group: p.m.State.Group(), ctx: t.Context()}
	a.current.Store(&p.m)
	before := len(p.Told)
	a.tellSecondTaker(c.peers[1].id(), &coordinator.SecondTakerError{Invite: "x"})
	if len(told) != 1 || len(p.Told) != before+1 {
		t.Fatalf("told %d times, %d are kept", len(told), len(p.Told)-before)
	}
	if n, err := coordinator.DecodeNotice(p.Told[before]); err != nil || n.Detail != told[0].Detail {
		t.Errorf("%+v, %v", n, err)
	}
}
