package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Export asks to hand out a proposal as a PSBT. The reply is an Exported.
type Export struct {
	Proposal journal.EntryID
	// ForSigning: it will be signed with this node's key, wherever that is. A node
	// whose key is external never exports otherwise.
	ForSigning bool
	Allow      []string
}

// Exported is the reply to Export: the proposal may leave. Guarded says that it
// counts as signed by this node's key from here on.
type Exported struct{ Guarded bool }

// Import brings signatures that were made outside. The reply is an Imported. A Look
// verifies and counts them, and enters nothing.
type Import struct {
	Proposal   journal.EntryID
	Signatures []wallet.Signature
	Look       bool
	Allow      []string
}

// Imported says how many signatures were new, by key index, and how many were held already.
type Imported struct {
	Proposal journal.EntryID // that this node's own were entered for, else the one named
	Added    map[uint32]int
	Known    int
}

// export lets a proposal leave as a PSBT. What may come back signed by this
// node's key counts as signed when the file leaves: every rule that stands
// before a signature is asked, and the guard is durable first.
func (s *step) export(x Export) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	me, holds := s.m.State.Active().Index(s.m.State.Me())
	own := x.ForSigning || s.m.External()
	if (own || s.m.hostsAny()) && !holds {
		// A plain copy would be signed all the same, and nothing would guard it.
		return s.m.noSeat()
	}
	if !holds || !s.m.mayComeBackSigned(p, me, own) {
		answer(s, x, Exported{})
		return nil
	}
	if p, err = s.mayApprove(Approve{Proposal: x.Proposal, Allow: x.Allow}); err != nil {
		return err
	}
	updates, err := s.m.Guard.check(s.m.State, s.m.View, p)
	if err != nil {
		return err
	}
	if err := s.overrideRestored(x.Allow); err != nil {
		return err
	}
	if own && s.m.State.MyVote(p) {
		if _, err := s.write(&event.RejectionWithdrawn{Proposal: p.Ref.ID}); err != nil {
			return err
		}
	}
	s.batch.Guard = append(s.batch.Guard, updates...)
	for _, u := range updates {
		s.m.Guard = s.m.Guard.add(u.GuardRecord)
	}
	answer(s, x, Exported{Guarded: true})
	return nil
}

// mayComeBackSigned says whether a file may be signed with a key whose signatures
// this node guards and that did not sign all of it yet: its own, where own says
// so, or that of a cosigner it hosts, whatever its own has signed.
func (m Machine) mayComeBackSigned(p *group.Proposal, me int, own bool) bool {
	for k, member := range m.State.Active().Members {
		if (k == me && own || m.State.HostsMember(member)) && !m.State.Signed(p, k) {
			return true
		}
	}
	return false
}

// importSignatures enters signatures that are new: this node's own key's as its
// approval, by the rules of one, and those of others as carried.
func (s *step) importSignatures(x Import) error {
	p, err := s.proposal(x.Proposal)
	if err != nil {
		return err
	}
	spend, err := p.Spend(s.m.State.Active())
	if err != nil {
		return err
	}
	me, holds := s.m.State.Active().KeyOf(s.m.State.Me()) // contested or replaced, the key is its own
	var own []wallet.Signature
	var others []event.PartialSignature
	done := Imported{Proposal: x.Proposal, Added: map[uint32]int{}}
	seen := map[[2]uint32]bool{}
	for i, err := range spend.VerifyAll(x.Signatures, s.m.State.Self().Verified) {
		sig := x.Signatures[i]
		if err != nil {
			return refusal.New(refusal.PSBTSignature, "input %d: %v", sig.Input, err)
		}
		k := [2]uint32{sig.Input, sig.Key}
		if seen[k] || s.m.State.SignatureHeld(p, sig.Input, sig.Key) {
			done.Known++
			continue
		}
		seen[k] = true
		done.Added[sig.Key]++
		if holds && int(sig.Key) == me {
			own = append(own, sig)
		} else {
			others = append(others, event.PartialSignature{Input: sig.Input, Key: sig.Key, Bytes: sig.Bytes})
		}
	}
	if x.Look {
		answer(s, x, done)
		return nil
	}
	if len(own) > 0 {
		entered, err := s.enterOwn(x, own)
		if err != nil {
			return err
		}
		done.Proposal = entered.Ref.ID
	}
	for len(others) > 0 {
		n := min(len(others), event.MaxTxInputs)
		if _, err := s.write(&event.SignatureCarried{Proposal: p.Ref.ID, Signatures: others[:n]}); err != nil {
			return err
		}
		others = others[n:]
	}
	answer(s, x, done)
	return nil
}

// enterOwn releases signatures by this node's key. Time has passed since they
// were asked for, and they may have been made of a file that another node
// wrote: every rule is asked again. It returns the proposal they are entered for.
func (s *step) enterOwn(x Import, own []wallet.Signature) (*group.Proposal, error) {
	p, err := s.mayEnter(x)
	if err != nil {
		return nil, fmt.Errorf("enter this node's own signatures: %w", err)
	}
	if err := s.overrideRestored(x.Allow); err != nil {
		return nil, err
	}
	if s.m.State.MyVote(p) {
		if _, err := s.write(&event.RejectionWithdrawn{Proposal: p.Ref.ID}); err != nil {
			return nil, err
		}
	}
	return p, s.release(p, own)
}

// mayEnter returns the proposal that own signatures are entered for: the one
// named, or else another that signs the same. A file names none, and a member
// may have entered the transaction again as expired, or without what it replaces.
func (s *step) mayEnter(x Import) (*group.Proposal, error) {
	p, refused := s.mayEnterFor(x, x.Proposal)
	if refused == nil {
		return p, nil
	}
	named, ok := s.m.State.Proposal(x.Proposal)
	if !ok || !named.Sound || !s.m.mayBeOfAnother(named, refused) {
		return nil, refused
	}
	for _, q := range s.m.State.CopiesOf(named.TxID) {
		if q.Signs() != named.Signs() || q == named {
			continue
		}
		if p, err := s.mayEnterFor(x, q.Ref.ID); err == nil {
			return p, nil
		}
	}
	return nil, refused
}

// mayBeOfAnother says whether what was refused of one entry of a transaction may
// be right of another: its expiry and the mark of its change are its own. So is
// what it replaces, but that is a member's word: it counts where the file left
// this node, which had its user name the entry.
func (m *Machine) mayBeOfAnother(p *group.Proposal, refused error) bool {
	var r *refusal.Refusal
	if !errors.As(refused, &r) {
		return false
	}
	switch r.Rule {
	case refusal.Expired, refusal.Change:
		return true
	case refusal.SignGuard, refusal.MaybeSigned:
		return m.Guard.holds(p)
	}
	return false
}

// mayEnterFor asks every rule for own signatures that come in for a proposal. What
// it declares to replace is its author's word, and anybody may enter a transaction
// again with such a declaration: where this node never let the transaction out to be
// signed, nobody here agreed to it, and the rules are asked as if it replaced nothing.
func (s *step) mayEnterFor(x Import, id journal.EntryID) (*group.Proposal, error) {
	p, err := s.mayApprove(Approve{Proposal: id, Allow: x.Allow})
	if err != nil || len(p.Body.Replaces) == 0 || s.m.Guard.holds(p) {
		return p, err
	}
	plain, body := *p, *p.Body
	body.Replaces = nil
	plain.Body = &body
	err = s.ask(&plain, x.Allow, signing)
	var r *refusal.Refusal
	if errors.As(err, &r) {
		return nil, refusal.New(r.Rule, "%s; that proposal %s replaces it was not agreed to on this node", r.Text, id.String()[:12]).
			WithHint("if the replacement is meant, `psbt export` that proposal here, and import the file again")
	}
	return p, err
}
