package app

import (
	"context"
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/chain/none"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/wallet"
)

// toldChain is a chain whose blocks a test tells.
type toldChain struct {
	none.Backend
	streams chan *toldStream
}

func (c toldChain) Health() port.ChainHealth { return port.ChainHealth{Backend: "told", Synced: true} }

func (c toldChain) Follow(ctx context.Context, _ []port.BlockRef, _ int32, _ [][]byte) (port.Follower, error) {
	f := &toldStream{notices: make(chan port.ChainNotice, 100)}
	context.AfterFunc(ctx, func() { _ = f.Close() })
	c.streams <- f
	return f, nil
}

type toldStream struct {
	notices chan port.ChainNotice
	ended   sync.Once
}

func (f *toldStream) Notices() <-chan port.ChainNotice             { return f.notices }
func (f *toldStream) Watch(context.Context, [][]byte, int32) error { return nil }
func (f *toldStream) Expect([]chainhash.Hash)                      {}
func (f *toldStream) Close() error                                 { f.ended.Do(func() { close(f.notices) }); return nil }
func (f *toldStream) tell(kind port.NoticeKind, b, prev port.BlockRef) {
	f.notices <- port.ChainNotice{Kind: kind, Block: b, Prev: prev.Hash}
}

func blockAt(height int32, median time.Time) port.BlockRef {
	return port.BlockRef{
		Height: height, Hash: chainhash.HashH(binary.BigEndian.AppendUint64([]byte{byte(height)}, uint64(median.Unix()))),
		Time: median.Unix(), MedianTime: median.Unix(),
	}
}

// A node whose clock is further behind than the chain can be ahead says so in its status, its
// check, its log and its list of alarms, for as long as it is so.
func TestAClockBehindTheChainIsAnAlarm(t *testing.T) {
	var key [32]byte
	db, err := OpenStore(t.TempDir(), key[:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var log sharedLog
	chain := toldChain{streams: make(chan *toldStream, 10)}
	n, err := Wire(t.Context(), Parts{
		Name: "alice", Network: wallet.Regtest, Version: "test", Secrets: Secrets{Identity: [32]byte{1}, Sealing: [32]byte{2}, Seed: make([]byte, 64)},
		Store: db, Chain: chain, Log: slog.New(slog.NewTextHandler(&log, nil)),
		P2P: p2p.Config{Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := t.Context()
	until := func(what string, is func() bool) {
		t.Helper()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for late := time.After(time.Minute); !is(); {
			select {
			case <-tick.C:
				n.watch.look()
			case <-late:
				t.Fatalf("%s: the log is\n%s", what, log.String())
			}
		}
	}
	if _, err := n.CreateWallet(ctx, api.CreateWallet{Name: "mine", Threshold: 1, Cosigners: 1}); err != nil {
		t.Fatal(err)
	}
	var words string
	until("no words to compare", func() bool {
		w, err := n.Wallet(ctx, "mine")
		if err == nil && w.Words != nil {
			words = *w.Words
		}
		return words != ""
	})
	if _, err := n.RatifyWallet(ctx, "mine", api.RatifyWallet{Words: words}); err != nil {
		t.Fatal(err)
	}
	alarmed := func() bool {
		s, err := n.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		reasons := s.Check()
		for _, a := range s.Alarms {
			if a.Code == AlarmClock {
				for _, r := range reasons {
					if r.Code == AlarmClock {
						return true
					}
				}
				t.Errorf("the check says %+v", reasons)
			}
		}
		return false
	}
	f := <-chain.streams
	now := time.Now()
	early, late, right := blockAt(1, now.Add(-time.Hour)), blockAt(2, now.Add(chainAhead+time.Hour)), blockAt(2, now.Add(time.Hour))
	f.tell(port.Connected, early, port.BlockRef{})
	until("the first block is not seen", func() bool { return n.co.Wallets()[0].Machine().View.Tip().Height == 1 })
	if alarmed() {
		t.Error("the clock is right, and it is an alarm")
	}
	f.tell(port.Connected, late, early)
	until("no alarm", alarmed)
	until("nothing of it in the log", func() bool { return strings.Contains(log.String(), "msg=alarm kind=clock_behind") })
	until("nothing of it in the list", func() bool {
		page, err := n.Events(ctx, api.EventQuery{Limit: api.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			if e.Type == "alarm" && e.Status == AlarmClock {
				return true
			}
		}
		return false
	})
	f.tell(port.Disconnected, late, early)
	f.tell(port.Connected, right, early)
	until("it goes on", func() bool { return !alarmed() })
	until("its end is not in the log", func() bool { return strings.Contains(log.String(), `msg="alarm over" kind=clock_behind`) })
}
