package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/journal"
)

// The founder of a forming wallet knows which of its invites are open, and who took
// the others; nobody else does, and once the wallet is active there is nothing to tell.
func TestIssuedInvites(t *testing.T) {
	c, invites := founded(t, 2, 3, 3)
	a, b := c.peers[0], c.peers[1]
	c.join(b, invites[0], b.key())
	c.settle(a, b)
	taken := map[string]journal.Author{}
	for _, x := range a.m.IssuedInvites() {
		taken[x.ID] = x.TakenBy
		if x.Expires != time.Unix(invites[0].Expires.Unix(), 0).UTC() {
			t.Errorf("expires %v, not %v", x.Expires, invites[0].Expires)
		}
	}
	if len(taken) != 2 || taken[invites[0].ID()] != b.id() || taken[invites[1].ID()] != (journal.Author{}) {
		t.Errorf("%v", taken)
	}
	if of := b.m.IssuedInvites(); len(of) > 0 {
		t.Errorf("one who joined: %v", of)
	}
	a.must(Abandon{})
	if of := a.m.IssuedInvites(); len(of) > 0 {
		t.Errorf("abandoned: %v", of)
	}
	if of := active(t, 2, 3).peers[0].m.IssuedInvites(); len(of) > 0 {
		t.Errorf("active: %v", of)
	}
}
