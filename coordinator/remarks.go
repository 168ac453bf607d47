package coordinator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func (s *step) remark(x Remark) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	if _, ok := s.m.State.Active().Index(s.m.State.Me()); !ok {
		return refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	if strings.TrimSpace(x.Text) == "" {
		return fmt.Errorf("%w: the comment is empty", refusal.ErrBadRequest)
	}
	if _, again, err := s.smallAgain(x.RequestID, "comment", p.Ref.ID.String(), x.Text); err != nil {
		return err
	} else if again {
		answer(s, x, Done{})
		return nil
	}
	mine := 0
	for _, c := range s.m.State.Comments(p.Ref.ID) {
		if s.m.State.SameMember(c.Ref.Chain.Author, s.m.State.Me()) {
			mine++
		}
	}
	if mine >= group.MaxComments {
		return refusal.New(refusal.Comments, "you commented %d times on this proposal: the other nodes show no more of one member", mine)
	}
	if err := s.m.known(event.KindProposalCommented, x.Allow); err != nil {
		return err
	}
	if _, err := s.write(&event.ProposalCommented{Proposal: p.Ref.ID, Text: x.Text}); err != nil {
		return err
	}
	s.keepSmall(x.RequestID, 0, "comment", p.Ref.ID.String(), x.Text)
	answer(s, x, Done{})
	return nil
}

// known refuses to write a kind of event that the nodes of some members do not know: they
// would pass it over, and their users would see something else.
func (m *Machine) known(kind event.Kind, allow []string) error {
	var names []string
	for _, x := range m.State.Outdated(kind) {
		if x.Identity != m.State.Me() && x.Host != m.State.Me() {
			names = append(names, x.Called())
		}
	}
	if len(names) == 0 || slices.Contains(allow, refusal.Outdated) {
		return nil
	}
	return refusal.New(refusal.Outdated, "not known to understand this: the nodes of %s", strings.Join(names, ", ")).
		WithHint("they say so once they run this version and were heard; --allow %s writes it all the same, and older nodes pass it over", refusal.Outdated).MayOverride()
}

// tellFeatures says which kinds of events this node knows, where it said otherwise before.
func (s *step) tellFeatures() error {
	if s.m.State.Active() == nil {
		return nil
	}
	if _, member := s.m.State.Active().Index(s.m.State.Me()); !member {
		return nil
	}
	now := event.KnownKinds()
	if said, ok := s.m.State.Features(s.m.State.Me()); ok && slices.Equal(said, now) || !s.spare() {
		return nil
	}
	_, err := s.write(&event.NodeFeatures{Kinds: now})
	return err
}

// tellFreezes tells of the coins of the wallet that are frozen now and were not, or the
// other way round, once for all that was said of each in this step.
func (s *step) tellFreezes() {
	all, last := s.m.State.SpokenOf(), map[wire.OutPoint]int{}
	for i, x := range all {
		last[x.Coin] = i
	}
	for i, x := range all {
		if last[x.Coin] != i {
			continue // what was said last of it made it so
		}
		_, was := s.before.State.Frozen(x.Coin)
		f, is := s.m.State.Frozen(x.Coin)
		if _, ours := s.m.View.Out(x.Coin); !ours || was == is {
			continue
		}
		status := "lifted"
		if is {
			status, x.By = "frozen", f.Ref.Chain.Author
		}
		s.by = []journal.Author{x.By}
		s.do(Tell{port.Notice{Type: "freeze", Group: s.m.State.Group(), TxID: x.Coin.Hash, Status: status, Detail: "coin " + x.Coin.String()}})
		s.by = nil
	}
}

// tellStops tells of the freezes of all spending that have effect now and had none, or the
// other way round, and raises the alarm with the first.
func (s *step) tellStops() {
	was, is := s.before, s.m
	before, tip := was.View.Tip().Height, is.View.Tip().Height
	if !is.State.FreezesSaid() && before == tip && was.State.Active() == is.State.Active() {
		return
	}
	frozenBefore := frozen.InEffect(was.State, before)
	for _, x := range frozen.Changes(frozenBefore, frozen.InEffect(is.State, tip)) {
		s.by = []journal.Author{x.Freeze.Ref.Chain.Author}
		s.do(Tell{port.Notice{Type: "group_freeze", Group: is.State.Group(), Status: x.Status, Detail: "freeze " + x.Freeze.Ref.ID.String()}})
		s.by = nil
	}
	if text, _, stands := frozen.Standing(is.State, tip); stands && len(frozenBefore) == 0 {
		s.do(Tell{port.Notice{Type: port.NoticeAlarm, Group: is.State.Group(), Status: frozen.AlarmGroup, Detail: text}})
	}
}

// tellRemarks tells of the comments that came, and are shown.
func (s *step) tellRemarks() {
	for _, c := range s.m.State.Remarked() {
		if p, ok := s.m.State.Proposal(c.Proposal); ok && p.Sound && s.m.State.Shows(c) {
			s.by = []journal.Author{c.Ref.Chain.Author}
			s.do(Tell{port.Notice{Type: "comment", Group: s.m.State.Group(), Proposal: c.Proposal, TxID: p.TxID}})
			s.by = nil
		}
	}
}
