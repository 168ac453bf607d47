package follow

import (
	"testing"

	"github.com/quorate/quorate/coordinator/port"
)

// TestCaughtUpCoversItsWatches: a CaughtUp says how many calls of Watch it
// follows, so that one that was under way says nothing of a later call.
func TestCaughtUpCoversItsWatches(t *testing.T) {
	s := newScript(20)
	f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(19)}})
	if n := expect(t, f, port.CaughtUp, s.ref(19)); n.Watches != 0 {
		t.Errorf("before any call it covers %d", n.Watches)
	}
	for call := uint64(1); call <= 2; call++ {
		if err := f.Watch(t.Context(), [][]byte{{byte(4 + call), 0}}, 1); err != nil {
			t.Fatal(err)
		}
		expect(t, f, port.Rescanned, s.ref(int(4+call)))
		if n := expect(t, f, port.CaughtUp, s.ref(19)); n.Watches != call {
			t.Errorf("after call %d it covers %d", call, n.Watches)
		}
	}
}

// TestNothingBelowAFreshStream: what was never streamed is not told as
// rescanned, since nobody would say that it left the chain.
func TestNothingBelowAFreshStream(t *testing.T) {
	s := newScript(20)
	f, _ := begin(t, s, Options{From: 10})
	for h := 11; h < 20; h++ {
		expect(t, f, port.Connected, s.ref(h))
	}
	expect(t, f, port.CaughtUp, s.ref(19))
	if err := f.Watch(t.Context(), [][]byte{{5, 0}, {10, 0}, {15, 0}}, 1); err != nil {
		t.Fatal(err)
	}
	expect(t, f, port.Rescanned, s.ref(15))
	expect(t, f, port.CaughtUp, s.ref(19))
}

// TestSeenAgainAfterItsBlock: what was told from the mempool while its block was
// still there is told again once that has left.
func TestSeenAgainAfterItsBlock(t *testing.T) {
	s := newScript(5)
	mine := []byte{4, 0}
	f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(3), s.ref(4)}, Scripts: [][]byte{mine}})
	expect(t, f, port.CaughtUp, s.ref(4))
	four := s.ref(4)
	s.change(func() { s.pool = append(s.pool, s.blocks[4].Txs[0]) })
	expect(t, f, port.Seen, four)
	s.change(func() { s.blocks = s.blocks[:4] })
	expect(t, f, port.Disconnected, four)
	expect(t, f, port.Seen, s.ref(3))
	expect(t, f, port.CaughtUp, s.ref(3))
}
