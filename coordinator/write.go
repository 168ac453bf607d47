package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// write authors an event of this node: seals it under the current epoch,
// chains and signs it, and folds it exactly as the others will.
//
// What says that an epoch does not open, what makes a new device a member, and what a
// node knows, is sealed under the first one, which all hold: of two members who each lack
// the other's epoch neither could read it, and no more could that device.
func (s *step) write(body event.Body) (*journal.Entry, error) {
	ep, ok := s.m.State.FirstEpoch()
	switch body.(type) {
	case *event.StanzaFailed, *event.MemberReplaced, *event.ReplacementApproved, *event.NodeFeatures:
	default:
		s.fit(body)
		ep, ok = s.m.State.Epoch()
	}
	if !ok {
		return nil, fmt.Errorf("seal entry: %w", journal.ErrWrongEpoch)
	}
	plain, err := event.Encode(event.Event{Time: s.in.Now.UnixMilli(), Body: body})
	if err == nil {
		err = checkWritten(body)
	}
	if err != nil {
		return nil, err
	}
	next, err := s.next()
	if err != nil {
		return nil, err
	}
	e, err := journal.Seal(s.m.State.Self().Identity, ep, next, plain, s.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	return e, s.append(e)
}

// fit makes a new epoch first where none is sealed to exactly the members: what
// is written now is not for a device that was replaced.
func (s *step) fit(body event.Body) {
	st := s.m.State
	_, first := body.(*event.IncarnationStarted) // of its chain
	if _, ok := st.Fitting(); ok || first || st.Active() == nil || !st.MayRekey(st.Me()) {
		return
	}
	// What hinders it now hinders the entry itself, or leaves the first epoch.
	_ = s.try(func() error { return s.writeEpoch(s.newEpoch(), st.Active().Members) })
}

// next is the place of this node's next entry.
func (s *step) next() (journal.Next, error) {
	n := s.m.State.Chains().Next(s.chainOfMine())
	if s.m.catchingUp() {
		return n, errCatchingUp
	}
	if n.Seq == 0 {
		return n, errOwnChain
	}
	if s.m.superseded() {
		return n, errSuperseded
	}
	if s.m.State.Succeeded() {
		return n, errReplaced
	}
	return n, nil
}

// append adds an entry of this node's own to its chain, to the batch and to
// what is published.
func (s *step) append(e *journal.Entry) error {
	next, out, err := s.m.State.Add(e, false)
	if err != nil {
		return fmt.Errorf("append own entry: %w", err)
	}
	if out != journal.Appended {
		return fmt.Errorf("append own entry: %w", errOwnChain)
	}
	s.m.State = next.Derived()
	s.m.written = s.m.written.with(len(e.Bytes()), s.now())
	s.batch.Entries = append(s.batch.Entries, e)
	s.do(Publish{e})
	return nil
}

// writeEpoch writes an epoch's secret, sealed to members.
func (s *step) writeEpoch(ep journal.Epoch, to []group.Member) error {
	b := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range to {
		if m.Identity == (journal.Author{}) {
			continue // contested
		}
		sealed, err := journal.SealSecret(ep, s.m.State.Me(), m.Identity, m.Sealing)
		if err != nil {
			return fmt.Errorf("seal epoch to %q: %w", m.Name, err)
		}
		b.Stanzas = append(b.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: s.in.Now.UnixMilli(), Body: b})
	if err != nil {
		return err
	}
	next, err := s.next()
	if err != nil {
		return err
	}
	e, err := journal.SealPlain(s.m.State.Self().Identity, s.m.State.Group(), ep.ID(), next, plain, s.nonce())
	if err != nil {
		return fmt.Errorf("seal entry: %w", err)
	}
	return s.append(e)
}

// newEpoch follows the epoch that is written under. Where none is sealed to
// exactly the members it follows epoch 0, which all hold: a new device need not
// be handed any other to find that it does.
func (s *step) newEpoch() journal.Epoch {
	st := s.m.State
	cur, ok := st.Fitting()
	if !ok {
		return journal.Epoch{Group: st.Group(), Number: 1, Parent: st.FirstEpochID(), Secret: s.draw()}
	}
	return journal.Epoch{Group: st.Group(), Number: cur.Number + 1, Parent: cur.ID(), Secret: s.draw()}
}

// try undoes everything of f when it fails.
func (s *step) try(f func() error) error {
	before, entries, effects, notices := s.m, len(s.batch.Entries), len(s.effects), len(s.batch.Notices)
	err := f()
	if err != nil {
		s.m, s.batch.Entries, s.effects, s.batch.Notices = before, s.batch.Entries[:entries], s.effects[:effects], s.batch.Notices[:notices]
	}
	return err
}

func (s *step) chainOfMine() journal.ChainKey {
	return journal.ChainKey{Author: s.m.State.Me(), Incarnation: s.m.local.Incarnation}
}

// checkWritten refuses text of this node's own that could deceive who reads it.
// It is stricter than what makes an event valid, which no version may change.
// Names are checked where they are given (FreeName, walletNames).
func checkWritten(body event.Body) error {
	var texts []string
	switch b := body.(type) {
	case *event.GroupAbandoned:
		texts = []string{b.Reason}
	case *event.ProposalCreated:
		texts = []string{b.Note}
		for _, o := range b.Outputs {
			texts = append(texts, o.Label)
		}
	case *event.ProposalRejected:
		texts = []string{b.Reason}
	case *event.ProposalCommented:
		texts = []string{b.Text}
	case *event.LabelSet:
		texts = []string{b.Text}
	case *event.CoinFrozen:
		texts = []string{b.Note}
	case *event.GroupFrozen:
		texts = []string{b.Reason}
	}
	for _, t := range texts {
		if err := display.Check(t); err != nil {
			return fmt.Errorf("%w: text %.70q: %w", refusal.ErrBadRequest, t, err)
		}
	}
	return nil
}

// spare says whether this node may write what nobody asked of it.
func (s *step) spare() bool {
	return s.m.written.asOf(s.now()).spare()
}
