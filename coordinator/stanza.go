package coordinator

import (
	"slices"

	"github.com/quorate/quorate/journal"
)

// maxStanzas is how many epochs of one author a member asks for in all, and how
// many it seals again to one member: one who spoils epochs without end would
// otherwise have the others answer each, until they have used up what the rest
// takes of them (see quota). Epochs are few: one a month makes 21 years.
const maxStanzas = 256

// tellStanza says that this node could not open its stanza of an epoch, or got
// none and lacks what was written under it, and seals again for those who said so.
func (s *step) tellStanza() error {
	st := s.m.State
	if st.active == nil {
		return nil
	}
	var told map[journal.Author]int // worked out where there is something to ask
	for id, f := range st.rotations.All() {
		if _, held := st.epochs.Get(id[:32]); held || !slices.Contains(f.To, st.Me()) && !st.lacks(f.Epoch) {
			continue
		}
		if err := s.askStanza(f.Epoch, f.Ref.Chain.Author, &told); err != nil {
			return err
		}
	}
	return s.sealAgain()
}

// toldStanzas counts the epochs this node asked for, by who brought them up: who
// rotated, or, where no rotation is known, who wrote under it.
func (s State) toldStanzas() map[journal.Author]int {
	told := map[journal.Author]int{}
	counted := map[string]bool{}
	count := func(epoch journal.EpochID, by journal.Author) {
		k := key2(epoch, by)
		if _, asked := s.failures.Get(key2(epoch, s.Me())); asked && !counted[k] {
			counted[k] = true
			told[by]++
		}
	}
	for _, f := range s.rotations.All() {
		count(f.Epoch, f.Ref.Chain.Author)
	}
	for _, e := range s.sealed.All() {
		count(e.Header().Epoch, e.Header().Author)
	}
	return told
}

// askStrange is how many ticks pass until entries that nobody named are looked
// at, too: the rotation may only be late.
const askStrange = 15

// askPastForks asks for epochs of which not even the rotation came, because it is
// past a fork: soon where somebody named an entry under them, and now and then
// for all others, such as those of an honest member who took such an epoch
// for the group's before it knew of the fork.
func (s *step) askPastForks(all bool) error {
	st := s.m.State
	var told map[journal.Author]int
	if st.active == nil || len(st.chains.Forks()) == 0 {
		return nil
	}
	for k, e := range st.sealed.All() {
		known, named := false, all
		for range scan(st.rotations, k[:32]) {
			known = true
			break
		}
		for range scan(st.carriers, key(e.ID())) {
			named = true
			break
		}
		if known || !named {
			continue
		}
		if err := s.askStanza(e.Header().Epoch, e.Header().Author, &told); err != nil {
			return err
		}
	}
	return nil
}

// askStanza says, once, that this node lacks an epoch; by is who brought it up.
func (s *step) askStanza(epoch journal.EpochID, by journal.Author, told *map[journal.Author]int) error {
	st := s.m.State
	if _, asked := st.failures.Get(key2(epoch, st.Me())); asked {
		return nil
	}
	if *told == nil {
		*told = st.toldStanzas()
	}
	if (*told)[by] >= maxStanzas {
		return nil
	}
	(*told)[by]++
	_, err := s.write(&StanzaFailed{Epoch: epoch})
	return err
}

// lacks says whether entries are held that only an epoch's secret opens.
func (s State) lacks(id journal.EpochID) bool {
	for range scan(s.sealed, key(id)) {
		return true
	}
	return false
}

// sealAgain seals an epoch to a member who could not open its stanza. Every
// holder does it once: to leave it to one would let that one keep a member out.
func (s *step) sealAgain() error {
	me := s.m.State.Me()
	sealed := map[journal.Author]int{}
	done := map[string]bool{} // by epoch and member
	if s.m.State.failures.Len() > 0 {
		for _, r := range s.m.State.rotations.All() {
			if r.Ref.Chain.Author == me && len(r.To) == 1 {
				sealed[r.To[0]]++
				done[key2(r.Epoch, r.To[0])] = true
			}
		}
	}
	for _, f := range s.m.State.failures.All() {
		st := s.m.State // grows as this goes on
		ep, held := st.epochs.Get(key(f.Epoch))
		who := f.Ref.Chain.Author
		at, member := st.active.index(who)
		if !held || ep.Number == 0 || !member || who == me || done[key2(f.Epoch, who)] || sealed[who] >= maxStanzas {
			continue
		}
		sealed[who]++
		done[key2(f.Epoch, who)] = true
		// A member whose own key takes no secret keeps nobody else waiting.
		_ = s.try(func() error { return s.rotate(ep, []Member{st.active.Members[at]}) })
	}
	return nil
}

// epochsRetainted works out anew what the epochs rest on (see derived).
func (s State) epochsRetainted(retaint) State { return s }
