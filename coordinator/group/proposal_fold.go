package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

func (s proposalFacts) foldProposalEvent(ref Ref, body event.Body) proposalFacts {
	switch b := body.(type) {
	case *event.ProposalCreated:
		p := &Proposal{Ref: ref, Body: b, spend: &LazySpend{}}
		s.proposals = s.proposals.Set(mapkey.Of(ref.ID), p)
		if s.active == nil || s.backlog.later || !s.mayWrite(p.Author()) {
			return s.wait(p)
		}
		s = s.evaluate(p)
	case *event.ProposalApproved:
		c := carrierFact{Ref: ref, Proposal: b.Proposal, Signatures: b.Signatures}
		if x, ok := b.UpTo(); ok {
			c.UpTo = &x
		}
		c.Through, _ = b.Through()
		return s.foldSignatures(c)
	case *event.SignatureCarried:
		return s.foldSignatures(carrierFact{Ref: ref, Proposal: b.Proposal, Signatures: b.Signatures, Carried: true})
	case *event.ProposalRejected:
		return s.foldVote(voteFact{ref, b.Proposal, true, b.Reason})
	case *event.RejectionWithdrawn:
		return s.foldVote(voteFact{ref, b.Proposal, false, ""})
	case *event.ProposalWithdrawn:
		s.withdrawals = earliest(s.withdrawals, byWithdrawal(b.Proposal[:]), ref)
		s = s.rest(ref, b.Proposal).touch(b.Proposal, ref.Chain.Author)
	case *event.ProposalCommented:
		return s.foldComment(ref, b)
	}
	return s
}

// evaluate derives the transaction of a proposal by a known author, once the
// wallet is active. The signatures that waited for it are due then.
func (s proposalFacts) evaluate(p *Proposal) proposalFacts {
	s.backlog.proposals = s.backlog.proposals.Delete(mapkey.Of2(p.Author(), p.Ref.ID))
	spend, err := p.Spend(s.active)
	if err != nil {
		s.entryFacts = s.entryFacts.asInert(p.Ref, ruleProposal)
		return s
	}
	sound := *p
	sound.describes(spend.TxID())
	s.proposals = s.proposals.Set(mapkey.Of(p.Ref.ID), &sound)
	return s.index(&sound).sigsDue(p.Ref.ID).touch(p.Ref.ID, p.Author())
}

// Draft returns the proposal that a body would be, written in a chain: it is held
// by nobody yet. It returns an error for one that describes no transaction of the
// wallet.
func (s proposalFacts) Draft(chain journal.ChainKey, b *event.ProposalCreated) (*Proposal, error) {
	p := &Proposal{Ref: Ref{Chain: chain}, Body: b, spend: &LazySpend{}}
	spend, err := p.Spend(s.active)
	if err != nil {
		return nil, err
	}
	p.describes(spend.TxID())
	return p, nil
}

// reindexed fills the index, and what is due, of a State whose facts were read
// from a snapshot.
func (s proposalFacts) reindexed() proposalFacts {
	s.props, s.backlog = proposalIndex{}, backlog{}
	for _, p := range s.proposals.All() {
		if p.Sound {
			s = s.index(p)
		} else if !mapkey.Has(s.inert, mapkey.Of(p.Ref.ID)) {
			s = s.wait(p)
		}
	}
	for k := range s.sigs.All() {
		of := byKey(k[:64] + k[68:72])
		n, _ := s.props.signed.Get(of)
		s.props.signed = s.props.signed.Set(of, n+1)
	}
	for of, n := range s.props.signed.All() {
		for _, r := range pmap.Prefix(s.props.stating, bySigned(of[:64])) {
			p, _ := s.Proposal(r.ID)
			s = s.signedNow(p, mapkey.Uint32(of[64:68]), 1).signedNow(p, mapkey.Uint32(of[64:68]), n)
			break
		}
	}
	for _, c := range s.carriers.All() {
		s = s.rest(c.Ref, c.Proposal).approved(c)
		p, ok := s.Proposal(c.Proposal)
		if c.Verified == nil || !ok {
			s = s.await(c)
			continue
		}
		for n, x := range c.Signatures {
			if c.Verified[n/8]>>(n%8)&1 == 1 {
				s = s.credited(p, x.Input, x.Key, c, false)
			}
		}
	}
	for _, v := range s.votes.All() {
		s = s.rest(v.Ref, v.Proposal)
	}
	for k, r := range s.withdrawals.All() {
		s = s.rest(r, journal.EntryID([]byte(k[:32])))
	}
	return s
}

type proposalKept struct {
	Leases      []record.Pair[leaseFact]   `cbor:"20,keyasint"`
	Proposals   []proposedKept             `cbor:"21,keyasint"`
	Carriers    []record.Pair[carrierFact] `cbor:"22,keyasint"`
	Sigs        []record.Pair[[]byte]      `cbor:"23,keyasint"`
	Approvals   []record.Pair[Approval]    `cbor:"24,keyasint"`
	Votes       []record.Pair[voteFact]    `cbor:"25,keyasint"`
	Withdrawals []record.Pair[Ref]         `cbor:"26,keyasint"`
	Comments    []record.Pair[commentFact] `cbor:"61,keyasint"`
}

type proposedKept struct {
	Ref   Ref                    `cbor:"1,keyasint"`
	Body  *event.ProposalCreated `cbor:"2,keyasint"`
	TxID  [32]byte               `cbor:"3,keyasint"`
	Sound bool                   `cbor:"4,keyasint"`
}

func (s proposalFacts) kept() proposalKept {
	k := proposalKept{
		Leases: record.Dump(s.leases), Carriers: record.Dump(s.carriers), Sigs: record.Dump(s.sigs),
		Approvals: record.Dump(s.approvals), Votes: record.Dump(s.votes), Withdrawals: record.Dump(s.withdrawals),
		Comments: record.Dump(s.comments),
	}
	for _, p := range s.proposals.All() {
		k.Proposals = append(k.Proposals, proposedKept{p.Ref, p.Body, p.TxID, p.Sound})
	}
	return k
}

func (k proposalKept) into(s *proposalFacts) {
	record.Undump(&s.leases, k.Leases)
	record.Undump(&s.carriers, k.Carriers)
	record.Undump(&s.sigs, k.Sigs)
	record.Undump(&s.approvals, k.Approvals)
	record.Undump(&s.votes, k.Votes)
	record.Undump(&s.withdrawals, k.Withdrawals)
	record.Undump(&s.comments, k.Comments)
	var ps []record.Pair[*Proposal]
	for _, x := range k.Proposals {
		p := &Proposal{Ref: x.Ref, Body: x.Body, spend: &LazySpend{}}
		if x.Sound {
			p.describes(x.TxID)
		}
		ps = append(ps, record.Pair[*Proposal]{K: x.Ref.ID[:], V: p})
	}
	record.Undump(&s.proposals, ps)
}
