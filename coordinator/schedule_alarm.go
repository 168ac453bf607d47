package coordinator

import (
	"fmt"
	"time"
)

// AlarmScheduled is of a payment that is due by a schedule, and that this node does not
// propose.
const AlarmScheduled = "recurring_waits"

// waitsQuietly is how long a payment that is due may wait before that is an alarm: coins
// confirm, and a chain that is behind catches up, by themselves.
const waitsQuietly = time.Hour

// hungTicks is for how long this node has to run before what it said nothing of counts: as
// long as that, at a tick each two seconds.
const hungTicks = 1800

// scheduleAlarms stand while payments that are due are not proposed.
func (m *Machine) scheduleAlarms(now time.Time) []Alarm {
	if m.schedules.Len() == 0 {
		return nil
	}
	var since time.Time
	count, held, codes := 0, 0, ""
	for _, sch := range m.Schedules() {
		period, due := sch.Due(m.scheduleTime(now))
		at := time.Unix(sch.Since, 0)
		if sch.Code == "" { // nothing was said: it hangs, or has not been tried
			at = sch.DueAt(period)
		}
		switch {
		case !due && sch.Code != NotSigned:
			continue
		case due && m.Held(sch):
			held++
		case now.Sub(at) < waitsQuietly, sch.Code == "" && (m.ticks < hungTicks || sch.Height > 0):
			continue
		default:
			codes = sch.Code
		}
		if count++; since.IsZero() || at.Before(since) {
			since = at
		}
	}
	if count == 0 {
		return nil
	}
	// No amount: alarms are logged.
	text := fmt.Sprintf("%d payments that are due by a schedule are not made", count)
	if count == 1 {
		text = "a payment that is due by a schedule is not made"
	}
	switch {
	case held == count:
		text += ": it waits for a person, since it may be paid already: look at what was paid, and start or end it"
	case codes != "":
		text += fmt.Sprintf(" (%s)", codes)
	}
	return []Alarm{{Kind: AlarmScheduled, Since: since, Text: text + "; `quorate recurring list` says why"}}
}
