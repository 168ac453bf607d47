package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// This file is what a node signs without being asked again: transactions that pay what its
// user approved, out of the same coins, with a fee up to what the approval says.

const (
	// maxSignedUnasked is how many bumps of one proposal are signed by themselves.
	maxSignedUnasked = 8
	// outbidsUnasked is by how much the rate rises from one to the next: a tenth.
	outbidsUnasked = 10
	// maxAwaiting is how many bumps wait to be looked at; lookedAtOnce how many are each tick.
	maxAwaiting  = 256
	lookedAtOnce = 4
)

// mayAgree refuses to agree to bumps up to a fee beforehand.
func (m *Machine) mayAgree(p *group.Proposal, x UpTo, now time.Time) error {
	if m.External() {
		return refusal.New(refusal.ExternalKey, "this node's key lives elsewhere: whoever holds it is asked for each signature")
	}
	if x.Fee == 0 {
		return nil
	}
	if x.Fee <= p.Fee() {
		return fmt.Errorf("%w: the proposal pays a fee of %s already, so that none up to %s bumps it", refusal.ErrBadRequest, display.Amount(p.Fee()), display.Amount(x.Fee))
	}
	if !x.Until.IsZero() && (!x.Until.After(now) || x.Until.After(now.Add(MaxUpTo))) {
		return fmt.Errorf("%w: bumps may be agreed to for %d days at most, from now on", refusal.ErrBadRequest, int(MaxUpTo.Hours()/24))
	}
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		return err
	}
	if bound := feeBound(m.View, p, spend.VSize()); x.Fee > bound {
		return refusal.New(refusal.Fee, "a fee of %s is above the bound of %s", display.Amount(x.Fee), display.Amount(bound))
	}
	return nil
}

// agreeAgain says anew up to which fee bumps are agreed to, of what was signed before. The
// signatures, which are out, go along once more.
func (s *step) agreeAgain(x Approve, p *group.Proposal, me int) error {
	if x.UpTo.Fee > 0 {
		if err := s.ask(p, x.Allow, signing); err != nil {
			return err
		}
	}
	b, err := event.ProposalApproved{Proposal: p.Ref.ID}.WithUpTo(x.UpTo.of(p, s.now()))
	if err != nil {
		return err
	}
	for _, sig := range s.m.State.Signatures(p) {
		if int(sig.Key) == me {
			b.Signatures = append(b.Signatures, event.PartialSignature{Input: sig.Input, Key: sig.Key, Bytes: sig.Bytes})
		}
	}
	if _, err := s.write(&b); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// agreed keeps which transactions this node's user agreed to bumps of, and which bumps of
// those wait.
func (s *step) agreed(p *group.Proposal, status group.Status) {
	w := &s.m.watch
	tx, id := mapkey.Of(p.TxID), mapkey.Of(p.Ref.ID)
	if a, ok := s.m.State.OwnApproval(p, s.chainOfMine()); ok && a.UpTo != nil && a.UpTo.Fee > 0 && a.Through == (chainhash.Hash{}) {
		_, before := w.agreed.Get(tx)
		w.agreed = w.agreed.Set(tx, p.Ref.ID)
		if !before && !s.starting {
			s.agreedLate(p)
		}
	} else if old, ok := w.agreed.Get(tx); ok && old == p.Ref.ID {
		w.agreed = w.agreed.Delete(tx)
	}
	if status != group.StatusPending || w.agreed.Len() == 0 {
		w.bumps = w.bumps.Delete(id)
		return
	}
	if mapkey.Has(w.bumps, id) {
		return
	}
	if of, _ := s.m.agreedBefore(p); of != nil && s.m.mayWait(p.Author()) {
		w.bumps = w.bumps.Set(id, struct{}{})
	}
}

// mayWait says whether one more bump by an author waits: of each so many that nobody
// keeps out the others'.
func (m *Machine) mayWait(who journal.Author) bool {
	share := max(1, maxAwaiting/len(m.State.Active().Members))
	if m.watch.bumps.Len() < share {
		return true
	}
	n := 0
	for k := range m.watch.bumps.All() {
		if q, ok := m.State.Proposal(mapkey.Entry(k)); ok && m.State.SameMember(q.Author(), who) {
			n++
		}
	}
	return n < share
}

// agreedLate looks at the bumps that were there before they were agreed to.
func (s *step) agreedLate(p *group.Proposal) {
	for _, b := range s.m.State.Around(p).Bumps {
		for _, q := range s.m.State.CopiesOf(b.TxID) {
			if now, ok := s.m.watch.told.Get(mapkey.Of(q.Ref.ID)); ok {
				s.agreed(q, now.status)
			}
		}
	}
}

// errAsked says why a bump is not signed by itself: its user is asked.
var errAsked = errors.New("a person is asked")

func asksFor(why string) error { return fmt.Errorf("%w: %s", errAsked, why) }

// dueBump returns a bump that may be signed by itself now, of the next few in turn.
func (m *Machine) dueBump(in Input) (next Machine, due journal.EntryID, ok bool) {
	next = *m
	from := m.watch.nextBump
	for range min(lookedAtOnce, m.watch.bumps.Len()) {
		var at mapkey.ByEntry
		for k := range m.watch.bumps.From(from) {
			at = k
			break
		}
		if at == "" {
			for k := range m.watch.bumps.All() {
				at = k
				break
			}
		}
		from = at + "\x00"
		next.watch.nextBump = from
		p, held := m.State.Proposal(mapkey.Entry(at))
		if !held {
			continue
		}
		if _, err := m.mayBump(p, in); err == nil {
			return next, p.Ref.ID, true
		}
	}
	return next, journal.EntryID{}, false
}

// mayBump says whether this node signs a proposal without asking, and which one it bumps.
func (m *Machine) mayBump(q *group.Proposal, in Input) (*group.Proposal, error) {
	me, ok := m.State.Active().Index(m.State.Me())
	now := in.Now.Unix()
	now = max(now, m.View.Tip().MedianTime, m.unaskedAt)
	switch {
	case !ok || m.External() || m.local.Archived:
		return nil, asksFor("this node does not sign by itself")
	case !m.State.Idle():
		return nil, asksFor("not all that came is judged")
	case m.unreadable():
		return nil, asksFor("an entry that came cannot be read")
	case m.State.Tainted(q.Ref.Chain, q.Ref.Seq):
		return nil, asksFor("it lies past a fork of its author's chain")
	case !m.State.Alive(q) || m.State.Signed(q, me) || m.State.MyVote(q):
		return nil, asksFor("nothing is to be signed")
	case group.Derive(m.State, m.View, time.Unix(now, 0), q) != group.StatusPending:
		return nil, asksFor("it does not wait for signatures")
	}
	p, upTo := m.agreedBefore(q)
	if p == nil {
		return nil, asksFor("its user agreed to no such bump")
	}
	switch {
	case q.Fee() > upTo.Fee || group.FeeOf(m.View, q) > upTo.Fee:
		return nil, asksFor("its fee is higher than agreed to")
	case now >= upTo.Until:
		return nil, asksFor("its time is over")
	}
	switch group.Derive(m.State, m.View, time.Unix(now, 0), p) {
	case group.StatusExpired, group.StatusDead, group.StatusConfirmed, group.StatusWithdrawn, group.StatusRejected:
		return nil, asksFor("what it bumps is over")
	}
	if err := m.nothingBeside(p, q, time.Unix(now, 0)); err != nil {
		return nil, err
	}
	for err := range m.refusals(asked{p: q, now: in.Now, stage: approving, chainAge: in.ChainAge, policy: in.Policy}) {
		return nil, err
	}
	if !m.heardOf(q) {
		return nil, asksFor("too few others were heard since it came")
	}
	return p, nil
}

// agreedBefore returns what a proposal bumps over its coins alone, and up to what this
// node's user agreed to that.
func (m *Machine) agreedBefore(q *group.Proposal) (*group.Proposal, event.BumpUpTo) {
	own := journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
	for _, t := range q.Body.Replaces {
		id, ok := m.watch.agreed.Get(mapkey.Of(t))
		if !ok {
			continue
		}
		p, ok := m.State.Proposal(id)
		if !ok || !m.State.Alive(p) {
			continue
		}
		a, ok := m.State.OwnApproval(p, own)
		if _, over := q.Bumps(p); !over || !ok || a.UpTo == nil || a.Through != (chainhash.Hash{}) {
			continue
		}
		if longest := a.Ref.Time/1000 + int64(MaxUpTo/time.Second); a.UpTo.Until > longest {
			continue
		}
		return p, *a.UpTo
	}
	return nil, event.BumpUpTo{}
}

// nothingBeside refuses where anything but p and its bumps has to do with p's coins, where
// somebody is against one of them, or where q is one too many.
func (m *Machine) nothingBeside(p, q *group.Proposal, now time.Time) error {
	around := m.State.Around(p)
	switch {
	case !around.All:
		return asksFor("there is more beside it than is looked at")
	case around.Against:
		return asksFor("somebody is against it, or was")
	case around.Children:
		return asksFor("something spends what it makes")
	}
	for _, x := range around.Others {
		if x.PaysOnlyUs() || m.State.Released(x.TxID) {
			return asksFor("something else spends its coins")
		}
		for _, c := range m.State.CopiesOf(x.TxID) {
			if group.Derive(m.State, m.View, now, c).Live() {
				return asksFor("something else may spend its coins")
			}
		}
	}
	of := []chainhash.Hash{p.TxID, q.TxID}
	signed, highest, me := 0, p, journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
	for _, b := range around.Bumps {
		of = append(of, b.TxID)
		for _, c := range m.State.CopiesOf(b.TxID) {
			if a, ok := m.State.OwnApproval(c, me); ok && a.Through == p.TxID {
				signed++
			}
		}
		if b.TxID != q.TxID && slices.Contains(m.holders(b.Body.Inputs[0].OutPoint()), b.TxID) && b.Fee() > highest.Fee() {
			highest = b
		}
	}
	if signed >= maxSignedUnasked {
		return asksFor("it was bumped often enough")
	}
	for _, in := range q.Body.Inputs {
		for _, tx := range m.holders(in.OutPoint()) {
			if !slices.Contains(of, tx) || tx != q.TxID && !slices.Contains(q.Body.Replaces, tx) {
				return asksFor("this node signed something else over its coins")
			}
		}
	}
	return m.outbids(q, highest)
}

// outbids refuses a bump whose fee rate is not a tenth above that of what was signed before.
func (m *Machine) outbids(q, before *group.Proposal) error {
	x, err := q.Spend(m.State.Active())
	if err != nil {
		return err
	}
	y, err := before.Spend(m.State.Active())
	if err != nil {
		return err
	}
	if outbidsUnasked*q.Fee()*y.VSize() < (outbidsUnasked+1)*before.Fee()*x.VSize() {
		return asksFor("its fee rate rises by less than a tenth")
	}
	return nil
}

// heardOf says whether those who hold enough keys said since this node started what they
// hold, the bump among it, and this node holds all of that: fewer could all hide a vote
// against it. Who holds the bump said so after it was made; when that came here does not
// matter. The keys of hosted cosigners are their host's.
func (m *Machine) heardOf(q *group.Proposal) bool {
	heard, others := m.heardWith(q.Ref.Chain, q.Ref.Seq)
	return heard >= min(m.State.Genesis().Threshold, others)
}

func (s *step) signBump(x SignBump) error {
	q, ok := s.m.State.Proposal(x.Proposal)
	if !ok {
		return fmt.Errorf("proposal %s: %w", x.Proposal, refusal.ErrUnknownProposal)
	}
	if _, err := s.m.mayBump(q, s.in); err != nil {
		return err
	}
	return s.askToSign(q, Signed{Cmd: x})
}

func (x SignBump) signed(s *step, got Signed) error {
	q, ok := s.m.State.Proposal(x.Proposal)
	if !ok {
		return fmt.Errorf("proposal %s: %w", x.Proposal, refusal.ErrUnknownProposal)
	}
	p, err := s.m.mayBump(q, s.in)
	if err != nil {
		return err
	}
	s.m.unaskedAt = max(s.now().Unix(), s.m.View.Tip().MedianTime, s.m.unaskedAt)
	if err := s.put(recUnasked, unaskedRecord{s.m.unaskedAt}); err != nil {
		return err
	}
	b, err := event.ProposalApproved{Proposal: q.Ref.ID}.Via(p.TxID)
	if err != nil {
		return err
	}
	if err := s.releaseIn(b, q, got.Signatures); err != nil {
		return err
	}
	s.do(Tell{port.Notice{Type: "signed_by_pre_approval", Group: s.m.State.Group(), Proposal: q.Ref.ID, TxID: q.TxID}})
	answer(s, x, Done{})
	return nil
}

// PreApproval is up to what a member's node signs bumps of a proposal by itself.
type PreApproval struct {
	Member group.Member
	Fee    int64 // satoshis
	Until  time.Time
}

// PreApprovals returns who agreed to bumps of a proposal beforehand, by key: what the
// identity that holds it now said last, and not by itself.
func (m *Machine) PreApprovals(p *group.Proposal) []PreApproval {
	var out []PreApproval
	if m.State.Active() == nil {
		return nil
	}
	for _, x := range m.State.Active().Members {
		if a, ok := m.State.LastApproval(p, x.Identity); ok && a.UpTo != nil && a.UpTo.Fee > 0 && a.Through == (chainhash.Hash{}) {
			out = append(out, PreApproval{x, a.UpTo.Fee, time.Unix(a.UpTo.Until, 0)})
		}
	}
	return out
}

// SignedUnasked says whether a member's node signed a proposal by itself, since its user
// had agreed to it before, as that node says.
func (m *Machine) SignedUnasked(p *group.Proposal, x group.Member) bool {
	a, ok := m.State.LastApproval(p, x.Identity)
	return ok && a.Through != (chainhash.Hash{})
}
