package coordinator

import (
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// settle does what follows by itself from what is now known: it closes and
// reveals a roster, starts the chain when the wallet is active, broadcasts what
// became final, and tells what changed. It comes to rest because each of its
// writes makes its own condition false.
func (s *step) settle() error {
	if probe := s.m.State.Self().Probe; probe != nil {
		probe(s.m.State, nil)
	}
	if err := s.pinAgain(); err != nil {
		return err
	}
	s.m.State = s.m.State.Work(workEach)
	if err := s.catchUp(); err != nil {
		return err
	}
	for _, write := range []func() error{s.closeRoster, s.revealSalt} {
		// A node that must not write goes on reading.
		if err := s.try(write); err != nil && !mayNotWrite(err) {
			return err
		}
	}
	if err := s.writeUnasked(); err != nil {
		return err
	}
	s.tellFaults()
	s.tellMembers()
	if err := s.follow(); err != nil {
		return err
	}
	s.link()
	touched := s.m.State.Touched()
	s.tellRemarks()
	s.tellFreezes()
	s.tellStops()
	s.tellPolicies()
	s.statuses()
	if s.m.State.Active() == nil {
		return nil
	}
	s.tellTies()
	if err := s.tellForeign(touched); err != nil {
		return err
	}
	return s.saveView()
}

// follow starts the chain follower once the wallet is active, from the blocks
// known, or from the wallet's birthday.
func (s *step) follow() error {
	if s.m.State.Active() == nil {
		return nil
	}
	if err := s.extend(port.BlockRef{}, false); err != nil {
		return err
	}
	if s.m.follows {
		s.lookBack()
		return nil
	}
	s.m.follows = true
	s.m.unsaved = saveEvery
	s.do(Follow(s.m.View.Follow()))
	return nil
}

// link tells the transport about members and topics when they changed.
func (s *step) link() {
	st := s.m.State
	l := port.GroupLink{Group: st.Group(), Topics: st.Topics(), Members: st.Members()}
	if in := s.m.local.Inviter; in != (journal.Author{}) {
		// It is not let in yet, or does not know; who invited it is heard first.
		for _, a := range []journal.Author{in, st.Me()} {
			if !slices.Contains(l.Members, a) && s.m.catchingUp() {
				l.Members = append(l.Members, a)
			}
		}
		l.Hints = map[journal.Author][]string{in: s.m.local.Hints}
	} else if st.Active() == nil && len(s.m.local.Hints) > 0 {
		l.Hints = map[journal.Author][]string{st.Genesis().Founder: s.m.local.Hints}
	}
	var b strings.Builder
	if st.Abandoned() {
		// Its members stay linked: the news has to reach those who are away.
		b.WriteString("abandoned")
	}
	for _, t := range l.Topics {
		b.WriteString(t)
	}
	members := slices.Clone(l.Members)
	slices.SortFunc(members, func(a, b journal.Author) int { return slices.Compare(a[:], b[:]) })
	for _, m := range members {
		b.Write(m[:])
	}
	if b.String() == s.m.linked {
		return
	}
	first := s.m.linked == ""
	s.m.linked = b.String()
	// Before what is published: a new topic must exist, a new member be let in.
	s.effects = append([]Effect{Link{l}}, s.effects...)
	s.do(Tell{port.Notice{Type: "wallet", Group: st.Group(), Status: s.m.Phase()}})
	if !first {
		s.do(AskSync{})
	}
}

// tick lets time pass: expiries, rebroadcasts, the age of the epoch.
func (s *step) tick(t Tick) error {
	s.m.ticks++
	s.m.online = t.Online
	s.expire()
	s.age()
	// A node that must not write goes on reading.
	if err := s.try(s.tellFeatures); err != nil && !mayNotWrite(err) {
		return err
	}
	// What the backend did not take yet is tried again soon; what it took, until
	// it is mined.
	s.sendAgain(s.m.ticks%retryEach == 0, s.m.ticks%rebroadcastEach == 0)
	if s.m.ticks%askStrange == 0 {
		s.m.turns.strange = true
	}
	return s.rekeyByAge(t.Online)
}

// started goes on where the machine stopped: it links, follows the chain, and
// broadcasts again what is final and not mined.
func (s *step) started() error {
	s.starting = true
	st := s.m.State
	s.m.ownAtStart = st.Chains().Frontier()[s.chainOfMine()].Seq
	for p := range st.AllProposals {
		if p.Sound {
			s.tell(p, false)
			s.tellExpired(p)
		}
	}
	s.agreedAgain()
	s.goOnTelling()
	for _, f := range st.Chains().Forks() {
		s.lookChain(f.Chain, st.TaintedFrom(f.Chain))
	}
	return nil
}

// tellPolicies tells what members said of policies.
func (s *step) tellPolicies() {
	said := map[group.PolicySaid]bool{}
	for _, x := range s.m.State.PoliciesSaid() {
		if _, member := s.m.Member(x.By); !member || said[x] {
			continue
		}
		said[x] = true
		s.by = []journal.Author{x.By}
		s.do(Tell{port.Notice{Type: "policy", Group: s.m.State.Group(), Status: x.Status, Detail: x.Version.String()}})
		s.by = nil
	}
}
