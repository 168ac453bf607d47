package group

import (
	"bytes"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// foldSignatures keeps signatures as stated, and verifies them when the
// proposal they belong to is known. An approval that comes before its proposal waits.
func (s proposalFacts) foldSignatures(c carrierFact) proposalFacts {
	s.epochFacts = s.want(c.Proposal, c.Ref.Chain.Author)
	s = s.rest(c.Ref, c.Proposal).approved(c)
	if p, ok := s.Proposal(c.Proposal); ok && p.Sound && !s.backlog.later {
		return s.verify(p, c)
	}
	s.carriers = s.carriers.Set(mapkey.Of2(c.Proposal, c.Ref.ID), c)
	return s.await(c)
}

// verify credits each signature that verifies to its key, never to the author
// of the entry. An entry with one that does not is counted against its author;
// the others in it keep their effect.
func (s proposalFacts) verify(p *Proposal, c carrierFact) proposalFacts {
	a := c.Ref.Chain.Author
	s.backlog.sigs = s.backlog.sigs.Delete(mapkey.Of3(c.Proposal, a, c.Ref.ID))
	for k := range c.stated() {
		s.backlog.stating = s.backlog.stating.Delete(k)
	}
	spend, err := p.Spend(s.active)
	if err != nil {
		s.carriers = s.carriers.Set(mapkey.Of2(c.Proposal, c.Ref.ID), c)
		return s
	}
	// Only of the roster's own: whose key another's is may not be known yet.
	author, member := s.active.original(a)
	sigs := make([]wallet.Signature, 0, len(c.Signatures))
	rule := ""
	for _, x := range c.Signatures {
		if !c.Carried && member && int(x.Key) != author {
			rule = ruleForeignKey // still credited below, to the key that verifies
		}
		sigs = append(sigs, wallet.Signature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
	}
	c.Verified = make([]byte, (len(sigs)+7)/8)
	for i, err := range spend.VerifyAll(sigs, s.self.Verified) {
		if err != nil {
			rule = ruleSignature
			continue
		}
		c.Verified[i/8] |= 1 << (i % 8)
		s = s.credit(p, sigs[i], c)
	}
	s.carriers = s.carriers.Set(mapkey.Of2(c.Proposal, c.Ref.ID), c)
	if rule != "" {
		s.entryFacts = s.entryFacts.asInert(c.Ref, rule)
	}
	return s.touch(p.Ref.ID, c.Ref.Chain.Author)
}

// credit keeps the lexicographically least signature of each (transaction, what
// its inputs are stated to be, input, key), so that nodes with the same entries
// build the same bytes.
func (s proposalFacts) credit(p *Proposal, sig wallet.Signature, c carrierFact) proposalFacts {
	k := sigKey(p.signs, sig.Input, sig.Key)
	old, held := s.sigs.Get(k)
	if !held || bytes.Compare(sig.Bytes, old) < 0 {
		s.sigs = s.sigs.Set(k, sig.Bytes)
	}
	a := approvalKey(p.signs, sig.Key)
	if old, ok := s.approvals.Get(a); !ok || s.earlier(c.Ref, old.Ref, s.active.Members[sig.Key].Original) {
		s.approvals = s.approvals.Set(a, Approval{c.Ref})
	}
	return s.credited(p, sig.Input, sig.Key, c, !held)
}

// earlier says whether x rather than y brought the signatures of a key: the
// key's owner before anybody who repeats them, then by claimed time and id.
func (s proposalFacts) earlier(x, y Ref, owner journal.Author) bool {
	if mine := s.mayOwn(x, owner); mine != s.mayOwn(y, owner) {
		return mine
	}
	return x.Time < y.Time || (x.Time == y.Time && bytes.Compare(x.ID[:], y.ID[:]) < 0)
}
