package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// AlarmMargin is of a wallet of whose keys so few were seen signing that the next one
// lost locks it, or some are needed that nobody saw for long.
const AlarmMargin = "keys_unseen"

// Presence is when a cosigner's key was last seen to sign.
type Presence struct {
	Member group.Member
	// Signed is when its signature on a proposal was last entered, as its author claims,
	// and no later than now; zero for never.
	Signed time.Time
	// Answered is when the latest ping that it answered was asked for, as its asker
	// claims, and no later than now: somebody had the key then, or later. Zero for never.
	Answered time.Time
	// Asker is who asked for that.
	Asker journal.Author
	// Proven is when its record was entered with a proof that somebody holds the key;
	// zero for a key that nothing proves.
	Proven time.Time
}

// At is when the key was last seen, by any of these; zero for never.
func (p Presence) At() time.Time {
	at := p.Proven
	for _, t := range []time.Time{p.Signed, p.Answered} {
		if t.After(at) {
			at = t
		}
	}
	return at
}

// Seen says whether the key counts as one that can sign.
func (p Presence) Seen(now time.Time) bool { return p.At().Add(SeenFor).After(now) && !p.At().IsZero() }

// signedNow notes when keys signed a proposal: of each the latest.
func (s *step) signedNow(p *group.Proposal) {
	a := s.m.State.Active()
	if a == nil || !p.Sound {
		return
	}
	w := &s.m.watch
	for k := range a.Members {
		x, ok := s.m.State.FirstApproval(p, uint32(k))
		if !ok || s.m.State.SignedInputs(p, k) == 0 {
			continue
		}
		key := pmap.Num(uint64(k))
		// What claims to be of later is of a wrong clock, and says nothing of when.
		if last, _ := w.signed.Get(key); x.Ref.Time > last && !time.UnixMilli(x.Ref.Time).After(s.now().Add(skew)) {
			w.signed = w.signed.Set(key, x.Ref.Time)
		}
	}
}

// Presence returns when each cosigner's key was last seen, in the order of the roster, by
// what this node noted since it started: what stands now, and what stood meanwhile.
func (m *Machine) Presence(now time.Time) []Presence {
	a := m.State.Active()
	if a == nil {
		return nil
	}
	claimed := func(ms int64) time.Time { return time.UnixMilli(min(ms, now.UnixMilli())) }
	var out []Presence
	for k, x := range a.Members {
		p := Presence{Member: x}
		if ms, ok := m.watch.signed.Get(pmap.Num(uint64(k))); ok {
			p.Signed = claimed(ms)
		}
		if r, ok := m.State.RecordOf(x.Record); ok && x.Proof != event.ProofNone && !time.UnixMilli(r.Ref.Time).After(now.Add(skew)) {
			p.Proven = claimed(r.Ref.Time)
		}
		if r, ok := m.State.Answered(k, now.Add(skew).UnixMilli()); ok {
			p.Answered, p.Asker = claimed(r.Time), r.Chain.Author
		}
		out = append(out, p)
	}
	return out
}

// Overdue are the cosigners whose keys it is time to ask: not seen for PingEach, and
// neither asked within the last days nor what an alarm says already.
func (m *Machine) Overdue(now time.Time) []group.Member {
	if m.local.Archived || m.State.Active() == nil || len(m.marginAlarm(now)) > 0 {
		return nil
	}
	if r, ok := m.State.LatestRound(now.Add(skew).UnixMilli()); ok && near(r, now, RoundLife) {
		return nil
	}
	var out []group.Member
	for _, p := range m.Presence(now) {
		since := p.At()
		if since.IsZero() {
			since = time.Unix(m.local.Created, 0) // never: it counts from when there was something to ask
		}
		if !since.Add(PingEach).After(now) {
			out = append(out, p.Member)
		}
	}
	return out
}

// Unanswered is the round that is open for a key of this node that signs elsewhere, or of
// a cosigner that it hosts, and that was not seen since.
func (m *Machine) Unanswered(now time.Time) (round group.Ref, of []group.Member) {
	round, ok := m.State.LatestRound(now.Add(skew).UnixMilli())
	if !ok || m.local.Archived || !near(round, now, SeenFor) {
		return round, nil
	}
	for _, p := range m.Presence(now) {
		mine := p.Member.Identity == m.State.Me() && m.External() || m.State.HostsMember(p.Member)
		if mine && p.At().Before(time.UnixMilli(round.Time)) {
			of = append(of, p.Member)
		}
	}
	return round, of
}

// Margin is how many of the keys that were seen signing could be lost, and the others
// still spend: it is negative where too few were seen.
func Margin(of []Presence, threshold int, now time.Time) int {
	n := -threshold
	for _, p := range of {
		if p.Seen(now) {
			n++
		}
	}
	return n
}

// AlarmsAt are the alarms that stand, and those that time alone brings.
func (m *Machine) AlarmsAt(now time.Time) []Alarm {
	return append(append(append(m.Alarms(), m.marginAlarm(now)...), m.scheduleAlarms(now)...), m.robotAlarms(now)...)
}

// marginAlarm stands while one more key that is lost locks the wallet, or it is locked, for
// all that was seen, and there is a key that was not: where all were seen nobody can do more.
func (m *Machine) marginAlarm(now time.Time) []Alarm {
	if m.local.Archived {
		return nil
	}
	all, k := m.Presence(now), m.State.Genesis().Threshold
	var unseen []string
	var since time.Time
	for _, p := range all {
		if p.Seen(now) {
			continue
		}
		when := "never"
		if at := p.At(); !at.IsZero() {
			when = "last on " + at.UTC().Format(time.DateOnly)
			if end := at.Add(SeenFor); end.After(since) {
				since = end
			}
		}
		unseen = append(unseen, fmt.Sprintf("%s (%s)", p.Member.Called(), when))
	}
	margin := Margin(all, k, now)
	if len(unseen) == 0 || margin > 1 {
		return nil
	}
	if since.IsZero() {
		since = time.Unix(m.local.Created, 0)
	}
	slices.Sort(unseen)
	comes := "one more that is lost locks the wallet"
	if margin == 1 {
		comes = "two more that are lost lock the wallet"
	}
	if margin < 0 {
		comes = "nothing shows that the wallet can still spend"
	}
	return []Alarm{{Kind: AlarmMargin, Since: since, Text: fmt.Sprintf(
		"the keys of %d of %d cosigners were seen signing in the last %d days, and %d must sign: %s. Not seen: %s. Have each of them answer `quorate ping`, or sign a payment, however small",
		len(all)-len(unseen), len(all), int(SeenFor.Hours()/24), k, comes, strings.Join(unseen, ", "))}}
}
