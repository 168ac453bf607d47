package coordinator

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// What is told goes into the outbox in the commit of what it tells of: a kill at any
// moment loses none of it, and may repeat what is told of a mempool.

const (
	// maxTold is how many notices one member's entries make a day, and how many
	// alarms besides; so much is made of the chain's blocks, too. What is beyond is
	// told as a number on the next day.
	maxTold = 500
	// maxDetail bounds the text of a notice, in bytes.
	maxDetail = 4 << 10
)

// outbox is what a machine knows of what it told.
type outbox struct {
	outboxRecord
	known    bool                               // the record was there
	day      int64                              // on which accounts were looked at last
	accounts pmap.Map[mapkey.ByAuthor, account] // by member; the zero author is the chain
}

type outboxRecord struct {
	// Expired: of what expires until then it was told, in Unix seconds.
	Expired int64 `cbor:"1,keyasint"`
	// Owes: entries are stored that not all is told of yet.
	Owes bool `cbor:"2,keyasint"`
}

// account is what was told on one day because of one member's entries.
type account struct {
	Day    int64 `cbor:"1,keyasint"` // since 1970, in UTC
	Others tally `cbor:"2,keyasint"`
	Alarms tally `cbor:"3,keyasint"`
}

type tally struct {
	Told int `cbor:"1,keyasint"`
	More int `cbor:"2,keyasint"` // were not told
}

// with counts one more, and says whether it is told.
func (t tally) with() (tally, bool) {
	if t.Told >= maxTold {
		t.More++
		return t, false
	}
	t.Told++
	return t, true
}

func (o outbox) load(name string, b []byte) (outbox, error) {
	who, ok := strings.CutPrefix(name, recTold)
	if !ok {
		o.known = true
		if err := record.Decode(b, &o.outboxRecord); err != nil {
			return o, fmt.Errorf("read outbox record: %w", err)
		}
		return o, nil
	}
	id, err := hex.DecodeString(who)
	var a account
	if err == nil && len(id) != len(journal.Author{}) {
		err = fmt.Errorf("an author of %d bytes", len(id))
	}
	if err == nil {
		err = record.Decode(b, &a)
	}
	if err != nil {
		return o, fmt.Errorf("read outbox record: %w", err)
	}
	o.accounts = o.accounts.Set(mapkey.Of(journal.Author(id)), a)
	return o, nil
}

// OfOutbox says whether a record is of the outbox: it decides nothing else.
func OfOutbox(record string) bool { return record == recOutbox || strings.HasPrefix(record, recTold) }

func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// noted gives a notice its time and cause, and puts it into the outbox unless its
// cause made too many today.
func (s *step) noted(n port.Notice) port.Notice {
	n.Time = s.now()
	if len(n.Detail) > maxDetail {
		n.Detail = strings.ToValidUTF8(n.Detail[:maxDetail], "") + "…"
	}
	if n.Type != NoticeMore && !s.counts(&n) {
		return n
	}
	r, err := EncodeNotice(n)
	if err != nil {
		s.unkept = err
		return n
	}
	s.batch.Notices = append(s.batch.Notices, r)
	return n
}

// causes are those whose entries may have caused a notice. What nobody did is the
// matter of whoever made the proposal; nil is for what is not counted at all.
func (s *step) causes(n port.Notice) []journal.Author {
	if len(s.by) > 0 {
		return s.by
	}
	p, ok := s.m.State.Proposal(n.Proposal)
	switch {
	case n.Type == "signed_by_pre_approval":
		return nil // this node did it
	case ok && n.Type != port.NoticeAlarm:
		return []journal.Author{p.Author()}
	case n.Type == "chain":
		return []journal.Author{{}}
	case s.from != (journal.Author{}):
		return []journal.Author{s.from}
	}
	return nil
}

// counts counts a notice for the first of its causes that has some left, and says
// whether there is one. This node's own user is not counted.
func (s *step) counts(n *port.Notice) bool {
	causes := s.causes(*n)
	if len(causes) == 0 {
		return true
	}
	today := day(s.now())
	for i, who := range causes {
		n.By = who
		if who == s.m.State.Me() {
			return true
		}
		a, _ := s.m.outbox.accounts.Get(mapkey.Of(who))
		if a.Day < today {
			a = account{Day: today} // a clock that goes back grants nothing
		}
		of := &a.Others
		if n.Type == port.NoticeAlarm {
			of = &a.Alarms
		}
		next, ok := of.with()
		if !ok && i < len(causes)-1 {
			continue
		}
		*of = next
		s.keepAccount(who, a)
		return ok
	}
	return false
}

func (s *step) keepAccount(who journal.Author, a account) {
	s.m.outbox.accounts = s.m.outbox.accounts.Set(mapkey.Of(who), a)
	name := recTold + hex.EncodeToString(who[:])
	s.batch.Deletes = slices.DeleteFunc(s.batch.Deletes, func(d string) bool { return d == name })
	if err := s.put(name, a); err != nil {
		s.unkept = err
	}
}

// expiredUntil notes that it was told of all that expires until then.
func (s *step) expiredUntil(at int64) {
	o := &s.m.outbox
	if at = max(at, o.Expired); at == o.Expired && o.known {
		return
	}
	o.Expired, o.known = at, true
	s.keepOutboxRecord()
}

func (s *step) keepOutboxRecord() {
	if err := s.put(recOutbox, s.m.outbox.outboxRecord); err != nil {
		s.unkept = err
	}
}

// keepOutbox notes, with what is stored, whether all is told of it.
func (s *step) keepOutbox() {
	owes := !s.m.State.Idle() || s.m.watch.looks.Len() > 0
	if owes == s.m.outbox.Owes || s.batch.Empty() {
		return // what is not stored is told again
	}
	s.m.outbox.Owes = owes
	s.keepOutboxRecord()
}
