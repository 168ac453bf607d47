package coordinator

import "github.com/quorate/quorate/journal"

// AlarmSecondTaker is what is told when a node presents an invite that another
// one used: it has the text, and one of the two is not whom it was meant for.
const AlarmSecondTaker = "invite_second_taker"

// tellSecondTaker tells of each node that presents a used invite once, and of few
// of them: identities cost nothing. What is refused changes nothing, so this is no
// effect of a step.
func (a *Actor) tellSecondTaker(who journal.Author) {
	if a.takers.news(who.String()) {
		a.execute(Tell{Notice{Type: "alarm", Group: a.group, Status: AlarmSecondTaker,
			Detail: "a second taker of a used invite was refused: " + who.String() + "; the invite is in more hands than one"}})
	}
}
