package robot

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/policy"
)

// Mode is whether a node is a robot.
type Mode uint8

// The modes: a node of a human, one that says what a robot would do and signs nothing by
// itself, and a robot.
const (
	Off Mode = iota
	Shadow
	Signs
)

// LookedAt is how many proposals of one member that wait for signatures are looked at: the
// first.
const LookedAt = 8

// MaxVerdicts is how many verdicts a robot writes on one proposal: the last of them denies.
const MaxVerdicts = 16

// saidEach is how many verdicts on one author's proposals are written in a day that let nothing
// out, and deniedEach how many of them deny.
const (
	saidEach   = 256
	deniedEach = 64
)

// What is counted by the day.
const (
	saysDeny  = 'd'
	saysAny   = 'v'
	saysGrant = 'g'
)

type (
	byTurn string // author | incarnation | seq | proposal
	byDay  string // what | author | day
)

// Desk is what a robot has in work. It is an immutable value, and made anew when a node
// starts.
type Desk struct {
	Mode   Mode
	Paused bool
	// pending has the proposals that wait for signatures; fresh those of them of which
	// something changed.
	pending pmap.Map[byTurn, journal.EntryID]
	fresh   pmap.Map[mapkey.ByEntry, struct{}]
	daily   pmap.Map[byDay, int]
	fallen  pmap.Map[mapkey.By[event.PolicyVersion], struct{}]
	// all: something changed that all of them rest on.
	all     bool
	quiet   quiet
	entries int      // of leave, when they were looked at last
	now     *inForce // nil before it is prepared; never changed in place
	// Ceiling is the text of what the operator lays over each policy, or empty.
	Ceiling []byte
	over    *ceiling // nil before it is prepared; never changed in place
	// held are transactions that the signer's own ceiling held back.
	held   pmap.Map[mapkey.ByTx, heldBack]
	unread unread
}

func turnOf(p *group.Proposal) byTurn {
	c := p.Ref.Chain
	return byTurn(c.Author[:]) + byTurn([]byte{c.Incarnation}) + byTurn(mapkey.Number(p.Ref.Seq)) + byTurn(p.Ref.ID[:])
}

// With notes that something changed about a proposal, and whether it waits for signatures.
func (d Desk) With(p *group.Proposal, pending bool) Desk {
	if d.Mode == Off {
		return d
	}
	id := mapkey.Of(p.Ref.ID)
	if !pending {
		d.pending, d.fresh = d.pending.Delete(turnOf(p)), d.fresh.Delete(id)
		return d
	}
	d.pending, d.fresh = d.pending.Set(turnOf(p), p.Ref.ID), d.fresh.Set(id, struct{}{})
	return d
}

// Again has everything looked at once more.
func (d Desk) Again() Desk {
	d.all = true
	return d
}

// Due says whether anything is to be looked at before the next tick.
func (d Desk) Due() bool { return d.Mode != Off && (d.all || d.fresh.Len() > 0) }

// Take returns what is to be looked at now, of each identity the first that wait, and a desk
// without it: all of it, or what changed.
func (d Desk) Take(all bool, of []journal.Author) ([]journal.EntryID, Desk) {
	all = all || d.all
	var out []journal.EntryID
	for _, who := range of {
		n := 0
		for _, id := range pmap.Prefix(d.pending, byTurn(who[:])) {
			if n++; n > LookedAt {
				break
			}
			if all || mapkey.Has(d.fresh, mapkey.Of(id)) {
				out = append(out, id)
			}
		}
	}
	d.fresh, d.all = pmap.Map[mapkey.ByEntry, struct{}]{}, false
	return out, d
}

// MaySay says whether one more verdict that lets nothing out is written on an author's proposals
// on a day, and counts it. Whoever changes his mind without end has no robot write without end:
// the others take of each only so much.
func (d Desk) MaySay(who journal.Author, now int64, denies bool) (Desk, bool) {
	if d.today(saysAny, who, now) >= saidEach || denies && d.today(saysDeny, who, now) >= deniedEach {
		return d, false
	}
	if denies {
		d = d.counted(saysDeny, who, now)
	}
	return d.counted(saysAny, who, now), true
}

func dayOf(what byte, who journal.Author, now int64) (of, day byDay) {
	of = byDay([]byte{what}) + byDay(who[:])
	return of, of + byDay(mapkey.Number(uint64(max(0, now)/86400)))
}

// today is how often something was said on a day.
func (d Desk) today(what byte, who journal.Author, now int64) int {
	_, day := dayOf(what, who, now)
	n, _ := d.daily.Get(day)
	return n
}

// counted counts it, and forgets other days.
func (d Desk) counted(what byte, who journal.Author, now int64) Desk {
	of, day := dayOf(what, who, now)
	for old := range pmap.Prefix(d.daily, of) {
		if old != day {
			d.daily = d.daily.Delete(old)
		}
	}
	n, _ := d.daily.Get(day)
	d.daily = d.daily.Set(day, n+1)
	return d
}

// Fell notes that a version lost its votes after it was anchored; Fallen says whether it did.
func (d Desk) Fell(v event.PolicyVersion) Desk {
	d.fallen = d.fallen.Set(mapkey.Of(v), struct{}{})
	return d
}

// Fallen says whether a version lost its votes since it was anchored.
func (d Desk) Fallen(v event.PolicyVersion) bool { return mapkey.Has(d.fallen, mapkey.Of(v)) }

// Stands forgets that it did.
func (d Desk) Stands(v event.PolicyVersion) Desk {
	d.fallen = d.fallen.Delete(mapkey.Of(v))
	return d
}

// Chain takes in what changed in the view.
func (d Desk) Chain(s group.State, v ledger.View) Desk {
	d.over = d.over.chain(s, v)
	if d.now == nil || d.now.compiled == nil {
		return d
	}
	next := *d.now
	next.compiled = next.compiled.Advance(v, v.News())
	next.charges = next.charges.Follow(s, v, v.News())
	next.line = next.line.follow(s, v)
	next.budget = nil
	d.now = &next
	return d
}

// Late takes in what other robots signed of a proposal in the time of older policies, where
// this node hears of it after all moved over.
func (d Desk) Late(s group.State, v ledger.View, p *group.Proposal) Desk {
	if d.now == nil || d.now.compiled == nil || d.now.line.pasts == nil || !p.Sound {
		return d
	}
	key, ok := s.Active().KeyOf(p.Author())
	if !ok {
		return d
	}
	next := *d.now
	next.line = next.line.late(s, v, next.compiled, p, policy.Key(key))
	d.now = &next
	return d
}

// Signed charges what this robot's key is about to sign, or signed in another life of its
// node. What is charged already changes nothing.
func (d Desk) Signed(s group.State, v ledger.View, p *group.Proposal, at int64) Desk {
	if d.Mode == Off || s.Active() == nil {
		return d
	}
	key, ok := s.Active().KeyOf(p.Author())
	if !ok {
		return d
	}
	d.over = d.over.signed(s, v, p, policy.Key(key), at)
	if d.now == nil || d.now.compiled == nil || d.now.charges.charges(p.TxID, policy.Key(key)) {
		return d
	}
	next := *d.now
	next.charges = next.charges.Signed(s, v, next.compiled, p, policy.Key(key), at)
	next.budget = nil
	d.now = &next
	return d
}
