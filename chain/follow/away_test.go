package follow

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

var errAway = errors.New("nothing answers")

// away is a source that can disappear.
type away struct {
	*script
	asked int
	how   func(context.Context) error // nil while it is there
}

func (a *away) gone(ctx context.Context) error {
	a.mu.Lock()
	how := a.how
	a.asked++
	a.mu.Unlock()
	if how == nil {
		return nil
	}
	return how(ctx)
}

func (a *away) set(how func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.how, a.asked = how, 0
}

func (a *away) Tip(ctx context.Context) (port.BlockRef, bool, error) {
	if err := a.gone(ctx); err != nil {
		return port.BlockRef{}, false, err
	}
	return a.script.Tip(ctx)
}

func (a *away) HashAt(ctx context.Context, height int32) (chainhash.Hash, error) {
	if err := a.gone(ctx); err != nil {
		return chainhash.Hash{}, err
	}
	return a.script.HashAt(ctx, height)
}

func (a *away) Block(ctx context.Context, hash chainhash.Hash, height int32) (*Block, error) {
	if err := a.gone(ctx); err != nil {
		return nil, err
	}
	return a.script.Block(ctx, hash, height)
}

// TestAwayForAnHour: a source fails for an hour in the middle of a block or of a
// scan, while the chain grows, blocks are replaced and an address comes to be
// watched. It is asked seldom, what is wrong is told once and with its
// beginning, and when it is back nothing is missing and nothing comes twice.
func TestAwayForAnHour(t *testing.T) {
	fails := func(context.Context) error { return errAway }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		how   func(context.Context) error
		at    int32         // the block at whose fetch it begins
		told  time.Duration // at most, until it is said to be wrong
		back  time.Duration // at most, until the stream goes on
		asked int           // at most, in the hour
	}{
		"errors in a block":     {fails, 30, time.Second, 31 * time.Second, 130},
		"errors in a scan":      {fails, 12, time.Second, 31 * time.Second, 130},
		"silence in a block":    {hangs, 30, 91 * time.Second, 2 * time.Minute, 50},
		"silence in a scan":     {hangs, 12, 91 * time.Second, 2 * time.Minute, 50},
		"silence and no script": {hangs, 0, 91 * time.Second, 2 * time.Minute, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &away{script: newScript(40)}
				began := make(chan struct{})
				inner := s.onBlock
				if c.at > 0 {
					s.onBlock = func(height int32) {
						if height == c.at {
							s.onBlock = inner // of the follower's goroutine alone
							s.set(c.how)
							close(began)
						}
					}
				} else {
					s.set(c.how)
					close(began)
				}
				var faults Faults
				begins := 0
				var set Set
				defer set.Close()
				f, err := set.Start(t.Context(), s, Options{
					Known: []port.BlockRef{s.ref(19), s.ref(20)}, Scripts: [][]byte{{35, 0}, {200, 0}},
					Report: faults.Report(func(error) { begins++ }),
				})
				if err != nil {
					t.Fatal(err)
				}
				o := newOwner(t, s.ref(19), s.ref(20))
				var seen []*wire.MsgTx
				caught := make(chan port.ChainNotice, 100)
				go func() {
					for n := range f.Notices() {
						o.take(n)
						if n.Kind == port.Seen {
							seen = append(seen, n.Txs...)
						}
						if n.Kind == port.CaughtUp {
							caught <- n
						}
					}
				}()
				if err := f.Watch(t.Context(), [][]byte{{10, 0}, {15, 0}}, 5); err != nil {
					t.Fatal(err)
				}
				<-began
				start := time.Now()
				pass(c.told)
				if problem, since := faults.Problem(); problem == "" || since.After(start.Add(c.told)) || since.Before(start) {
					t.Fatalf("after %v the problem is %q, since %v (began %v)", c.told, problem, since, start)
				}
				_, since := faults.Problem()
				pass(20 * time.Minute)
				if err := f.Watch(t.Context(), [][]byte{{18, 0}}, 5); err != nil {
					t.Fatal(err)
				}
				unconfirmed := &wire.MsgTx{LockTime: 9, TxOut: []*wire.TxOut{{PkScript: []byte{200, 0}}}}
				s.change(func() {
					s.blocks = s.blocks[:37]
					s.grow(8, 1)
					s.pool = append(s.pool, unconfirmed)
				})
				pass(time.Until(start.Add(time.Hour)))
				if problem, at := faults.Problem(); problem == "" || !at.Equal(since) || begins != 1 {
					t.Errorf("after an hour the problem is %q, since %v, told %d times", problem, at, begins)
				}
				if s.mu.Lock(); s.asked > c.asked {
					t.Errorf("%d questions in an hour, at most %d were expected", s.asked, c.asked)
				}
				s.mu.Unlock()
				for len(caught) > 0 {
					if n := <-caught; n.Watches == 2 {
						t.Error("caught up without a source")
					}
				}
				s.set(nil)
				for n := range caught {
					if n.Watches == 2 && n.Block == s.tipRef() {
						break
					}
				}
				if took := time.Since(start.Add(time.Hour)); took > c.back {
					t.Errorf("the stream went on after %v, at most %v were expected", took, c.back)
				}
				synctest.Wait()
				if problem, _ := faults.Problem(); problem != "" || begins != 1 {
					t.Errorf("in the end the problem is %q, told %d times", problem, begins)
				}
				var want []port.BlockRef
				for _, b := range s.blocks[19:] {
					want = append(want, b.Ref)
				}
				if !slices.Equal(o.chain, want) {
					t.Errorf("the stream adds up to another chain, up to %d", o.chain[len(o.chain)-1].Height)
				}
				if again := heights(o.again); !slices.Equal(again, []int32{10, 15, 18}) {
					t.Errorf("blocks %v came again", again)
				}
				if len(seen) != 1 || seen[0] != unconfirmed {
					t.Errorf("%d transactions were seen", len(seen))
				}
			})
		})
	}
}

func heights(refs []port.BlockRef) []int32 {
	var out []int32
	for _, r := range refs {
		out = append(out, r.Height)
	}
	slices.Sort(out)
	return out
}

// TestFaults: what several say is one problem, with the beginning of the first.
func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Faults
		begins := 0
		one, two := f.Report(func(error) { begins++ }), f.Report(nil)
		start := time.Now()
		check := func(when, problem string, since time.Time) {
			t.Helper()
			if got, at := f.Problem(); got != problem || !at.Equal(since) {
				t.Errorf("%s: %q since %v, want %q since %v", when, got, at, problem, since)
			}
		}
		check("at first", "", time.Time{})
		two(errors.New("two\nlines"))
		check("a follower", "two lines", start)
		pass(time.Minute)
		one(errAway)
		one(errAway)
		check("both", errAway.Error(), start)
		if !f.Note("no node") || f.Note("no node") || f.Noted() != "no node" {
			t.Error("what is news is not told once")
		}
		check("the backend too", "no node", start)
		two(nil)
		one(nil)
		check("followers are well", "no node", start)
		if !f.Note("") || f.Note("") {
			t.Error("that all is well is not told once")
		}
		check("all is well", "", time.Time{})
		pass(time.Minute)
		one(errAway)
		check("again", errAway.Error(), start.Add(2*time.Minute))
		if begins != 2 {
			t.Errorf("told of %d beginnings, want 2", begins)
		}
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }
