package coordinator

import (
	"runtime"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

// What a member says of proposals costs a node that starts in proportion.
func TestWhatIsSaidCostsAStartInProportion(t *testing.T) {
	slow(t)
	for name, say := range map[string]func(p *group.Proposal) event.Body{
		"comments":   func(p *group.Proposal) event.Body { return &event.ProposalCommented{Proposal: p.Ref.ID, Text: "no"} },
		"rejections": func(p *group.Proposal) event.Body { return &event.ProposalRejected{Proposal: p.Ref.ID, Reason: "no"} },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := preApproved(t, UpTo{Fee: 5000})
			b, evil := c.peers[1], c.peers[2]
			next := evil.nextPlace()
			st := b.m.State.JudgeLater(true)
			cost := func(n int) (sum uint64) {
				for range n {
					e := evil.forge(next, say(p))
					before := allocated()
					var err error
					if st, _, err = st.Add(e, true); err != nil {
						t.Fatal(err)
					}
					sum += allocated() - before
				}
				return sum
			}
			cost(200)
			few := cost(100)
			cost(2_000)
			if many := cost(100); many > 2*few {
				t.Errorf("100 cost %d bytes after 200, and %d after 2,300", few, many)
			}
		})
	}
}

// allocated returns how many bytes were allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
