package coordinator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// closeRoster is the founder's: once n records of admitted members are in.
func (s *step) closeRoster() error {
	st := s.m.State
	if st.Me() != st.Genesis().Founder || st.Active() != nil || st.Closed() || st.Abandoned() {
		return nil
	}
	ids, _ := st.Places()
	if len(ids) != st.Genesis().Cosigners {
		return nil
	}
	r, ok := st.RosterOf(s.chainOfMine(), ids)
	if !ok {
		return nil // two cosigners with one key: nothing to close; `wallet show` says who
	}
	if checkNames(r.Members) != nil {
		return nil // likewise with names that look alike
	}
	if _, err := s.write(&event.RosterClosed{Records: ids}); err != nil {
		return err
	}
	return s.writeEpoch(s.newEpoch(), r.Members)
}

// revealSalt opens this node's commitment for the first roster that it has
// checked, once.
func (s *step) revealSalt() error {
	st := s.m.State
	if st.Active() != nil || st.Abandoned() || st.TakesPlace() {
		return nil // what took a lost one's place is in no roster
	}
	me := st.Me()
	if st.Revealed(me) {
		return nil
	}
	for r := range st.FirstRosters {
		if !r.Has(me) {
			continue
		}
		if _, err := s.write(&event.RosterRevealed{Roster: r.ID, Salt: s.m.local.Salt}); err != nil {
			return err
		}
		return s.revealHosted(r)
	}
	return nil
}

// nameEvidence names the entries past a fork that the active wallet and its
// members rest on: a member who forked when it ratified would otherwise leave
// those who saw its other branch outside for good, and one who lets another
// device take its place in one branch alone would be another member to each.
func (s *step) nameEvidence() error {
	st := s.m.State
	if st.Active() == nil || len(st.Chains().Forks()) == 0 || !s.spare() {
		return nil
	}
	var ids []journal.EntryID
	for _, r := range st.Evidence() {
		if f := st.Chains().ForkedAt(r.Chain); f == 0 || r.Seq < f {
			continue
		}
		if !st.Named(r.ID) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// What one entry takes; the rest comes with later steps. Its own chain may be the
	// forked one; then others say it.
	ids = ids[:min(len(ids), event.MaxNamed)]
	_ = s.try(func() error { _, err := s.write(&event.EntriesNamed{Entries: ids}); return err })
	return nil
}

// pinAgain pins what this node's earlier identity ratified, without asking for
// the words again: that identity is known by its record, which this node's own
// key proved, and it ratified once. Where it ratified several, or the key's
// proof is of another kind, the user compares the words.
func (s *step) pinAgain() error {
	st := s.m.State
	if !st.TakesPlace() || st.Pinned() != ([32]byte{}) || st.Active() != nil {
		return nil
	}
	facts := st.SetupFacts()
	if facts == s.m.repinned {
		return nil
	}
	s.m.repinned = facts
	hash, ok := st.PinnedBefore()
	if !ok {
		return nil
	}
	if st = st.Pin(hash); st.Active() == nil {
		return nil // not all is here yet
	}
	s.m.State = st
	s.batch.Puts[recPin] = hash[:]
	return nil
}

// revealHosted opens the commitments of the cosigners that this node hosts.
func (s *step) revealHosted(r *group.Roster) error {
	for _, m := range r.Members {
		if m.Host != s.m.State.Me() {
			continue
		}
		rec, _ := s.m.State.RecordOf(m.Record)
		for _, p := range s.m.local.Hosted {
			if group.Commitment(p.Salt) != rec.Body.Commitment {
				continue
			}
			if _, err := s.write(&event.RosterRevealed{Roster: r.ID, Salt: p.Salt}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ratifyFor says that a hosted cosigner compared the words, too.
func (s *step) ratifyFor(x Ratify, r *group.Roster) error {
	name := x.For
	st := s.m.State
	at := slices.IndexFunc(r.Members, func(m group.Member) bool { return m.Name == name && m.Host == st.Me() })
	if at < 0 {
		return refusal.New(refusal.NotHosted, "this node hosts no cosigner named %q in the roster", name)
	}
	if st.Pinned() != r.Hash {
		return refusal.New(refusal.NotReady, "this node has not ratified for itself yet").WithHint("`wallet ratify` without --for first")
	}
	if !r.Ratified[r.Members[at].Record] {
		if _, err := s.write(&event.RosterRatified{Hash: r.Hash, Record: &r.Members[at].Record}); err != nil {
			return err
		}
		s.m.State = s.m.State.Activated()
	}
	answer(s, x, Done{})
	return nil
}

// ratify pins the roster whose words the user gives, once, and says so.
func (s *step) ratify(x Ratify) error {
	if s.m.State.Abandoned() {
		return refusal.New(refusal.Abandoned, "the wallet was abandoned")
	}
	words := strings.Join(strings.Fields(strings.ToLower(x.Words)), " ")
	r, ok := s.m.State.Worded(words)
	if !ok {
		r, ok = s.m.State.Roster()
	}
	if !ok || !r.Complete() {
		return refusal.New(refusal.NotReady, "the words are not there yet: %s", s.m.Missing()).WithHint("wait until `wallet show` gives six words")
	}
	if words != r.Words() {
		if err := group.CheckWords(strings.Fields(words)); err != nil {
			return fmt.Errorf("%w: %w: is it a typing error?", refusal.ErrBadRequest, err)
		}
		return refusal.New(refusal.WordsDiffer, "the words differ from this node's").
			WithHint("do not go on: somebody may sit between you; compare again in person, or abandon the wallet")
	}
	in := r.Has(s.m.State.Me())
	if !in && !s.m.takesPlace(r) {
		return refusal.New(refusal.NotReady, "this node is not in the roster")
	}
	pinned := slices.ContainsFunc(r.Members, func(m group.Member) bool { return m.Identity == s.m.State.Me() && r.Ratified[m.Record] })
	if in && !pinned { // who takes a place in an active wallet has nothing to choose
		if err := checkNames(r.Members); err != nil {
			return err
		}
	}
	if x.For != "" {
		return s.ratifyFor(x, r)
	}
	if who := r.HostedNames(s.m.State.Me()); len(who) > 0 && !x.AcceptHosted {
		return refusal.New(refusal.Hosted, "cosigners without a node: %s; nothing shows that the key is not the host's own", strings.Join(who, ", ")).
			WithHint("who holds two keys has two votes: ask each of them in person, then repeat with --accept-hosted")
	}
	if who := r.UnprovenNames(s.m.State.Me()); len(who) > 0 && !x.AcceptUnproven {
		return refusal.New(refusal.UnprovenKey, "nothing shows that anybody holds the key of %s", strings.Join(who, ", ")).
			WithHint("money is lost where too many keys are held by nobody: be sure of it, then repeat with --accept-unproven")
	}
	if pinned {
		answer(s, x, Done{})
		return nil
	}
	s.m.State = s.m.State.WithPin(r.Hash)
	s.batch.Puts[recPin] = r.Hash[:]
	if in { // one who takes a lost member's place rests on what that one ratified
		if _, err := s.write(&event.RosterRatified{Hash: r.Hash}); err != nil {
			return err
		}
	}
	s.m.State = s.m.State.Activated()
	answer(s, x, Done{})
	return nil
}
