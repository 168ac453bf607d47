package coordinator

import (
	"slices"
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// maxTakers is of how many of them is told for each invite. Identities cost
// nothing, and whoever has one invite must not keep the news of another quiet.
const maxTakers = 2

// takers are the second ones of invites that were told of.
type takers struct {
	mu   sync.Mutex
	told map[string][]journal.Author
}

// news says whether a second taker of an invite was not told of yet, and is to be.
func (t *takers) news(invite string, who journal.Author) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := t.told[invite]; len(of) >= maxTakers || slices.Contains(of, who) {
		return false
	}
	if t.told == nil {
		t.told = map[string][]journal.Author{}
	}
	t.told[invite] = append(t.told[invite], who)
	return true
}

// tellSecondTaker tells of each node that presents a used invite once, and of few
// of them for each invite. What is refused changes nothing, so this is no effect
// of a step.
func (a *Actor) tellSecondTaker(who journal.Author, x *secondTakerError) {
	if a.takers.news(x.invite, who) {
		a.execute(Tell{port.Notice{Type: "alarm", Group: a.group, Status: AlarmSecondTaker,
			Detail: "a second taker of a used invite was refused: " + who.String() + "; " + a.Machine().called(x.first) + " used it, and it is in more hands than one"}})
	}
}
