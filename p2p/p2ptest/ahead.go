package p2ptest

import (
	"io"
	"testing"

	"github.com/quorate/quorate/journal"
)

// testAhead serves a long chain and answers its second request only once the
// third has come: who asks for one batch at a time gets no further. That answer
// comes short, so the next one does not follow on it, and nothing is lost.
func testAhead(t *testing.T, w Network) {
	const batches = 7
	g, a, x := victim(t, w)
	chain := NewWriter(Identity(8), g, 1)
	var all []*journal.Entry
	for range 64 * batches {
		all = append(all, chain.Write(t))
	}
	last := all[len(all)-1]
	hello := Encode(t, Hello(g.ID(), End(chain.Chain(), uint64(len(all)), last.ID())))
	answer := func(f Frame, limit uint64) []byte {
		ask := f[6].([]any)[0].([]any)
		from := ask[2].(uint64) - 1
		limit = min(limit, ask[3].(uint64))
		out := Frame{1: KindEntries}
		var list []any
		for _, e := range all[min(from, uint64(len(all))):min(from+limit, uint64(len(all)))] {
			list = append(list, e.Bytes())
		}
		if out[8] = list; limit < 64 {
			out[9] = true
		}
		return Encode(t, out)
	}
	x.Serve(func(s io.ReadWriteCloser) {
		defer func() { _ = s.Close() }()
		var asked []Frame
		for n := 0; ; n++ {
			f, err := ReadFrame(s)
			if err != nil {
				return
			}
			switch asked = append(asked, f); {
			case n == 0:
				_, err = s.Write(hello)
			case n == 2: // wait for the next
			case n == 3:
				if _, err = s.Write(answer(asked[2], 5)); err == nil {
					_, err = s.Write(answer(f, 64))
				}
			default:
				_, err = s.Write(answer(f, 64))
			}
			if err != nil {
				return
			}
		}
	})
	a.Sync(g.ID(), nil)
	Eventually(t, "the whole chain is taken", func() bool { return a.in.Len() == len(all) })
	if got := status(a.Peer, x.Author()).Rejects; len(got) != 0 {
		t.Errorf("an honest peer was counted: %v", got)
	}
}
