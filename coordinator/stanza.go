package coordinator

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

const (
	// stanzaEach is how many epochs a step looks at, of those that one author
	// brought up or that one member asked for. The rest is for later steps: there is
	// one each 2 s at least.
	stanzaEach = 8
	// askStrange is how many ticks pass until entries that nobody named are looked
	// at, too, where their epoch's rekey is not known: it may only be late.
	askStrange = 15
)

// tellStanza asks for the epochs that others write or wrote under and whose
// secret this node could not open or was not given.
func (s *step) tellStanza() error {
	for _, k := range inTurn(s.m.State.AsksDue(stanzaEach), s.m.turns.asked) {
		if !s.spare() {
			return nil
		}
		st, epoch, now := s.m.State.TakeAsk(k)
		if s.m.State = st; !now {
			continue
		}
		if _, err := s.write(&event.StanzaFailed{Epoch: epoch}); err != nil {
			return err
		}
		s.m.turns.asked = mapkey.ByAuthor(k[:32])
	}
	return nil
}

// askUnheard asks for epochs of which not even the rekey came: it is past a
// fork, or its author used up what this node grants it. Such are those of an honest
// member who took an epoch for the group's before it knew of the fork, or who was
// granted it when this one did not. Whose rekey is only on its way comes before
// its turn.
func (s *step) askUnheard() error {
	st := s.m.State
	if !s.m.turns.strange || !s.spare() {
		return nil
	}
	s.m.turns.strange = false
	for _, k := range inTurn(st.StrangeDue(stanzaEach), s.m.turns.asked) {
		if !s.spare() {
			return nil
		}
		st, epoch, now := s.m.State.TakeStrange(k)
		if s.m.State = st; !now {
			continue
		}
		if _, err := s.write(&event.StanzaFailed{Epoch: epoch}); err != nil {
			return err
		}
		s.m.turns.asked = mapkey.ByAuthor(k[:32])
	}
	return nil
}

// sealAgain seals an epoch to a member who could not open its stanza. Every
// holder does it once: to leave it to one would let that one keep a member out.
func (s *step) sealAgain() error {
	st := s.m.State
	for n := range st.Active().Members {
		at := (s.m.turns.answered + n) % len(st.Active().Members)
		m := st.Active().Members[at]
		if m.Identity == st.Me() || m.Identity == (journal.Author{}) {
			continue
		}
		for _, k := range st.AnswersDue(m.Identity, stanzaEach) {
			if !s.spare() {
				return nil
			}
			st, ep, ok := s.m.State.TakeAnswer(k, m.Identity)
			if s.m.State = st; !ok {
				continue
			}
			// A member whose own key takes no secret keeps nobody else waiting.
			if err := s.try(func() error { return s.writeEpoch(ep, []group.Member{m}) }); err != nil {
				if mayNotWrite(err) {
					return err
				}
				continue
			}
			s.m.turns.answered = at + 1
		}
	}
	return nil
}
