package coordinator

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// maxRequestID bounds a request id, in bytes.
const maxRequestID = 128

// asking is what a request id stands for. What this node works out itself, as a fee
// rate that is estimated or the time at which the proposal expires, is not in it: the
// same request, sent again later, is the same.
type asking struct {
	Outputs  []event.ProposalOutput `cbor:"1,keyasint"`
	Coins    []string               `cbor:"2,keyasint"`
	Note     string                 `cbor:"3,keyasint"`
	Replaces []journal.EntryID      `cbor:"4,keyasint"`
	Terms    string                 `cbor:"5,keyasint"`
}

// content is a hash of what is asked for.
func (x Propose) content() ([32]byte, error) {
	// None and an empty list are the same.
	a := asking{
		Outputs: append([]event.ProposalOutput{}, x.Outputs...), Coins: []string{}, Note: x.Note,
		Replaces: append([]journal.EntryID{}, x.Replaces...), Terms: x.Terms,
	}
	for _, c := range x.Coins {
		a.Coins = append(a.Coins, c.String())
	}
	b, err := record.Encode(a)
	if err != nil {
		return [32]byte{}, fmt.Errorf("hash a request: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Asked returns the proposal that a request id gave before.
func (m *Machine) Asked(requestID string) (journal.EntryID, bool) { return m.requests.Get(requestID) }

// repeated answers a request that was answered before, and says whether it did: the
// same id gives the same proposal, and with other content it is refused, since its
// sender would take the one for the other.
func (s *step) repeated(x Propose) (bool, error) {
	if err := bounded(x.RequestID); err != nil {
		return false, err
	}
	id, ok := s.m.requests.Get(x.RequestID)
	if !ok {
		return false, s.notGiven(x.RequestID)
	}
	same, err := s.sameRequest(x, id)
	if err != nil {
		return false, err
	}
	if !same {
		return false, reused("request id %q was used for proposal %s, which was asked for with other content", x.RequestID, id)
	}
	answer(s, x, Proposed{id})
	return true, nil
}

func reused(format string, args ...any) error {
	return refusal.New(refusal.RequestReused, format, args...).WithHint("give each request an id of its own; a repeat says the same again")
}

func bounded(requestID string) error {
	if len(requestID) > maxRequestID {
		return fmt.Errorf("%w: request id is over %d bytes", refusal.ErrBadRequest, maxRequestID)
	}
	return nil
}

// notGiven refuses a request id that stands for something else than a proposal.
func (s *step) notGiven(requestID string) error {
	if _, ok := s.m.given.Get(requestID); ok {
		return reused("request id %q was used for something else than a proposal", requestID)
	}
	return nil
}

// smallAgain returns the number that a request was answered with before, and whether it
// was. With other content it is refused.
func (s *step) smallAgain(requestID string, what ...string) (uint32, bool, error) {
	content := small(what...)
	if requestID == "" {
		return 0, false, nil
	}
	if err := bounded(requestID); err != nil {
		return 0, false, err
	}
	g, ok := s.m.given.Get(requestID)
	_, proposal := s.m.requests.Get(requestID)
	if proposal || ok && g.content != content {
		return 0, false, reused("request id %q was used for a request with other content", requestID)
	}
	return g.number, ok, nil
}

// keepSmall remembers what a request id stands for.
func (s *step) keepSmall(requestID string, number uint32, what ...string) {
	if requestID == "" {
		return
	}
	g := given{small(what...), number}
	s.m.given = s.m.given.Set(requestID, g)
	s.batch.Puts[recGiven+requestID] = g.record()
}

func (s *step) sameRequest(x Propose, id journal.EntryID) (bool, error) {
	now, err := x.content()
	if err != nil {
		return false, err
	}
	if then, kept := s.m.contents.Get(x.RequestID); kept {
		return then == now, nil
	}
	// It was made by a version that kept the id alone.
	p, ok := s.m.State.Proposal(id)
	if !ok {
		return true, nil
	}
	paid := slices.DeleteFunc(slices.Clone(p.Body.Outputs), func(o event.ProposalOutput) bool { return o.Change != nil })
	return p.Body.Note == x.Note && slices.EqualFunc(paid, x.Outputs, func(a, b event.ProposalOutput) bool {
		return string(a.PkScript) == string(b.PkScript) && a.Amount == b.Amount && a.Label == b.Label
	}), nil
}

// keepRequest remembers what a request id stands for, with the proposal.
func (s *step) keepRequest(x Propose, id journal.EntryID) error {
	if x.RequestID == "" {
		return nil
	}
	c, err := x.content()
	if err != nil {
		return err
	}
	s.m.requests, s.m.contents = s.m.requests.Set(x.RequestID, id), s.m.contents.Set(x.RequestID, c)
	s.batch.Puts[recRequest+x.RequestID] = id[:]
	s.batch.Puts[recContent+x.RequestID] = c[:]
	return nil
}

// digest is of all that a person sees of a draft. When it expires is counted from when it
// is proposed, and so is not in it.
func digest(b *event.ProposalCreated) ([32]byte, error) {
	c := *b
	c.Expires = 0
	raw, err := record.Encode(c)
	if err != nil {
		return [32]byte{}, fmt.Errorf("hash a draft: %w", err)
	}
	return journal.H("draft", raw), nil
}

// asShown refuses a draft that is another than its user was shown: coins were spent
// since, a block changed the fee rate, an address was used.
func asShown(x Propose, b *event.ProposalCreated) error {
	if x.Shown == nil {
		return nil
	}
	d, err := digest(b)
	if err != nil {
		return err
	}
	if d != x.Shown.Digest {
		return refusal.New(refusal.DraftChanged, "what would be proposed now is no longer what was shown: its coins, its fee, its change or its text differ").
			WithHint("nothing was proposed; look at it again")
	}
	return nil
}
