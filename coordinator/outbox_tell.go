package coordinator

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// tellMore tells, on the next day, how much was not told.
func (s *step) tellMore() {
	today := day(s.now())
	if today <= s.m.outbox.day {
		return
	}
	s.m.outbox.day = today
	for k, a := range s.m.outbox.accounts.All() {
		if a.Day >= today {
			continue
		}
		who := journal.Author([]byte(k))
		tell := func(n int, kind, what string) {
			by := "blocks"
			if who != (journal.Author{}) {
				by = what + " by " + s.m.called(who)
			}
			if n > 0 {
				s.do(Tell{port.Notice{Type: NoticeMore, Group: s.m.State.Group(), Status: kind, By: who,
					Detail: fmt.Sprintf("and %d more %s on %s", n, by, time.Unix(a.Day*24*60*60, 0).UTC().Format(time.DateOnly))}})
			}
		}
		tell(a.Others.More, "", "notices")
		tell(a.Alarms.More, port.NoticeAlarm, "alarms")
		s.m.outbox.accounts = s.m.outbox.accounts.Delete(k)
		name := recTold + hex.EncodeToString(who[:])
		delete(s.batch.Puts, name)
		s.batch.Deletes = append(s.batch.Deletes, name)
	}
}

// tellExpired tells of what expired while this node did not run.
func (s *step) tellExpired(p *group.Proposal) {
	was, _ := s.m.watch.told.Get(mapkey.Of(p.Ref.ID))
	now := was.status
	if s.m.outbox.known && now == group.StatusExpired && int64(p.Body.Expires) > s.m.outbox.Expired {
		s.do(Tell{port.Notice{Type: "proposal", Group: s.m.State.Group(), Proposal: p.Ref.ID, TxID: p.TxID, Status: string(s.m.State.Said(s.m.View, p, now))}})
	}
}

// goOnTelling goes on with the outbox where the machine stopped.
func (s *step) goOnTelling() {
	o := &s.m.outbox
	if o.Owes {
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase(),
			Detail: "this node was stopped before it had told of all that others wrote: read the proposals again"}})
	}
	if !o.known || len(s.batch.Notices) > 0 {
		s.expiredUntil(max(s.now().Unix(), s.m.View.Tip().MedianTime))
	}
}
