package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// shelf is the store of one node with several wallets, each as a peer left it. The
// sign guard is the node's.
type shelf map[journal.GroupID]*peer

func (s shelf) Commit(_ context.Context, b port.Batch) error {
	if p, ok := s[b.Group]; ok {
		p.persist(b)
	}
	return nil
}

func (s shelf) Walk(ctx context.Context, g journal.GroupID, yield func(*journal.Entry) error) error {
	return s[g].Walk(ctx, g, yield)
}

func (s shelf) Entry(ctx context.Context, g journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	return s[g].Entry(ctx, g, id)
}

func (s shelf) Range(context.Context, journal.GroupID, journal.ChainKey, uint64, int, int) ([]*journal.Entry, error) {
	return nil, port.ErrUnsupported
}

func (s shelf) Records(ctx context.Context, g journal.GroupID, prefix string) (map[string][]byte, error) {
	if p, ok := s[g]; ok {
		return p.Records(ctx, g, prefix)
	}
	out := map[string][]byte{}
	if prefix == recGroup {
		for g := range s {
			out[recGroup+g.String()] = []byte{1}
		}
	}
	return out, nil
}

func (s shelf) Notices(context.Context, uint64, int) (port.Notices, error) {
	return port.Notices{}, nil
}

func (s shelf) TrimNotices(context.Context, port.NoticeLimits) error { return nil }

func (s shelf) Guard(context.Context) ([]port.GuardRecord, error) {
	var out []port.GuardRecord
	for _, p := range s {
		for r := range p.Signed {
			out = append(out, r)
		}
	}
	return out, nil
}

// answersOf is what a wallet answers: all that its State, its View and its machine
// are asked without more, or about a proposal, but for what is named here.
func answersOf(t *testing.T, m *coordinator.Machine) string {
	t.Helper()
	own := []string{
		"FounderName", "Name", "OwnName", // both are called alike, and one gave way
		"Again", "CaughtUp", "Synced", // a stream of its own has just begun
	}
	var b strings.Builder
	ask := func(x any, args ...reflect.Value) {
		v := reflect.ValueOf(x)
		for i := range v.NumMethod() {
			f, name := v.Method(i), v.Type().Method(i).Name
			if f.Type().NumIn() != len(args) || f.Type().NumOut() == 0 || slices.Contains(own, name) {
				continue
			}
			if len(args) == 1 && f.Type().In(0) != args[0].Type() {
				continue
			}
			for _, out := range f.Call(args) {
				// What has no form, such as a function, is no answer.
				if text, err := json.Marshal(out.Interface()); err == nil {
					fmt.Fprintf(&b, "%T.%s: %s\n", x, name, text)
				}
			}
		}
	}
	for _, x := range []any{m, m.State, m.View} {
		ask(x)
		for _, p := range m.Proposals() {
			ask(x, reflect.ValueOf(p))
		}
	}
	return b.String()
}

// Two wallets of one node have members in common. Whatever fails in one, and however
// much is written there, the other answers as if it were alone, and goes on; what
// the node's key has signed is known in both.
func TestWalletsOfOneNodeDoNotMix(t *testing.T) {
	one, two := active(t, 2, 3), active(t, 2, 4)
	coin := one.fund(1_000_000)[0]
	two.fund(900_000)
	a1, a2 := one.peers[1], two.peers[1] // both founders call theirs alike
	if a1.id() != a2.id() || a1.m.State.Group() == a2.m.State.Group() {
		t.Fatal("not two wallets of one node")
	}
	a1.must(pay(1, 100_000)) // it signs
	one.settle()
	two.settle()
	alone := answersOf(t, &a2.m)

	bad := a1.m.State.Group()
	faulty := *a1.self
	faulty.Probe = func(s group.Probed, e *journal.Entry) {
		if e != nil && s.Group() == bad && e.Header().Author == one.peers[2].id() && s.Active() != nil {
			panic("index out of range")
		}
	}
	lost := journal.GroupID{7}
	records := maps.Clone(a1.Kept)
	records["local"] = []byte{0xff} // a third wallet does not open
	s := shelf{bad: a1, a2.m.State.Group(): a2, lost: {Disk: porttest.Disk{Kept: records}}}
	ports := Ports{
		Store: s, Transport: muteTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
		Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
	}
	n := New(t.Context(), ports, &faulty, wallet.Regtest, "B")
	defer n.Close()
	if err := n.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := n.Failed(); len(f) != 1 || f[0].Group != lost || len(n.Wallets()) != 2 {
		t.Fatalf("failed %v, %d run", f, len(n.Wallets()))
	}
	w1, _ := n.Wallet(bad)
	w2, _ := n.Wallet(a2.m.State.Group())

	// Each entry of C in the first wallet makes the program fail, garbage at that.
	c := one.peers[2]
	garbage := newScribe(t, c)
	for _, chain := range c.Chains() {
		for _, e := range chain {
			if e.Header().Author == c.id() {
				_, _ = Do(t.Context(), w1, coordinator.EntryIn{Entry: e})
			}
		}
	}
	for range 300 {
		_, _ = Do(t.Context(), w1, coordinator.EntryIn{Entry: garbage.write(t, 8)})
	}
	if !slices.ContainsFunc(w1.Machine().Alarms(), func(x coordinator.Alarm) bool { return x.Kind == group.AlarmReader }) {
		t.Fatal("nothing failed in the first wallet")
	}
	if _, err := w2.ask(t.Context(), coordinator.ClaimIn{From: c.id()}); err != nil { // after what its start began
		t.Fatal(err)
	}
	if got := answersOf(t, w2.Machine()); got != alone {
		was, is := strings.Split(alone, "\n"), strings.Split(got, "\n")
		for i := range min(len(was), len(is)) {
			if was[i] != is[i] {
				t.Errorf("the second wallet answers otherwise: %.300s; alone %.300s", is[i], was[i])
			}
		}
	}
	if len(w2.Machine().Alarms()) != 0 || len(w2.Machine().Faults()) != 0 {
		t.Error("what failed in one wallet shows in the other")
	}
	for _, w := range n.Wallets() {
		if m := w.Machine(); len(m.Guard.Known(mapkey.Coin(coin))) != 1 {
			t.Errorf("wallet %s does not know what the node signed", w.Group())
		}
	}
	if x, y := w1.Machine().Name(), w2.Machine().Name(); x == "" || y == "" || x == y {
		t.Errorf("the wallets are called %q and %q", x, y)
	}
	// C writes in the second wallet as ever: its allowance there is its own.
	two.peers[2].must(coordinator.LeaseAddress{})
	for _, e := range two.peers[2].out[len(two.peers[2].out)-1:] {
		if _, err := Do(t.Context(), w2, coordinator.EntryIn{Entry: e}); err != nil {
			t.Errorf("the second wallet refuses an entry: %v", err)
		}
	}
	if _, err := Do(t.Context(), w2, coordinator.LeaseAddress{}); err != nil {
		t.Errorf("the second wallet hands out no address: %v", err)
	}
}
