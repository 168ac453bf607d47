package group

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// foldSignatures keeps signatures as stated, and verifies them when the
// proposal they belong to is known. An approval that comes before its proposal waits.
func (s proposalFacts) foldSignatures(c carrierFact) proposalFacts {
	s.carriers = s.carriers.Set(mapkey.Of2(c.Proposal, c.Ref.ID), c)
	s.epochFacts = s.want(c.Proposal, c.Ref.Chain.Author)
	s = s.rest(c.Ref, c.Proposal)
	if p, ok := s.Proposal(c.Proposal); ok && p.Sound && !s.backlog.later {
		return s.verify(p, c)
	}
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
	return s.touch(p.Ref.ID)
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

// mayOwn says whether an entry is of a key's owner, or of one that is no
// roster's: it took some member's place.
func (s proposalFacts) mayOwn(r Ref, owner journal.Author) bool {
	_, roster := s.active.original(r.Chain.Author)
	return r.Chain.Author == owner || !roster
}

// Signatures returns the verified signatures on a proposal's transaction as it
// states it, by input and key.
func (s proposalFacts) Signatures(p *Proposal) []wallet.Signature {
	var out []wallet.Signature
	if !p.Sound {
		return nil
	}
	for k, b := range pmap.Prefix(s.sigs, p.signs) {
		out = append(out, wallet.Signature{
			Input: mapkey.Uint32(k[64:68]), Key: mapkey.Uint32(k[68:72]), Bytes: b,
		})
	}
	return out
}

// signed returns on how many inputs a key has a valid signature.
func (s proposalFacts) SignedInputs(p *Proposal, key int) int {
	n, _ := s.props.signed.Get(approvalKey(p.signs, uint32(key)))
	return n
}

// released says whether any signature on a transaction is known to be out,
// whatever its inputs were stated to be.
func (s proposalFacts) Released(tx chainhash.Hash) bool {
	for range pmap.Prefix(s.sigs, mapkey.Of(tx)) {
		return true
	}
	return false
}

// Final says whether the keys that each have a valid signature on every input
// can satisfy the transaction.
func (s proposalFacts) Final(p *Proposal) bool {
	return s.active != nil && p.Sound && s.progress(p).Final()
}

// progress returns how far the signing of a sound proposal is, once the wallet
// is active.
func (s proposalFacts) progress(p *Proposal) wallet.Progress {
	return s.active.Descriptor.Progress(len(p.Body.Inputs), func(key int) int { return s.SignedInputs(p, key) })
}

// FinalTx builds the final transaction and runs every input through the script
// engine; the caller must not change it. It returns wallet.ErrMissingSignatures before the threshold is met.
func (s proposalFacts) FinalTx(p *Proposal) (*wire.MsgTx, error) {
	spend, err := p.Spend(s.active)
	if err != nil {
		return nil, err
	}
	sigs := s.Signatures(p)
	h := sha256.New()
	for _, x := range sigs {
		h.Write([]byte(sigKey(p.signs, x.Input, x.Key)))
		h.Write(x.Bytes)
	}
	from := [32]byte(h.Sum(nil))
	if built := p.spend.final.Load(); built != nil && built.from == from {
		return built.tx, nil
	}
	tx, err := spend.Finalize(sigs, s.self.Verified)
	if err != nil {
		return nil, err
	}
	p.spend.final.Store(&builtTx{from, tx})
	return tx, nil
}

// voteKey puts the votes of an author on a proposal in order, the latest first:
// by incarnation and seq, downwards.
func voteKey(proposal journal.EntryID, r Ref) string {
	return mapkey.Of2(proposal, r.Chain.Author) + string([]byte{^r.Chain.Incarnation}) +
		string(binary.BigEndian.AppendUint64(nil, ^r.Seq)) + string(r.ID[:])
}

func (s proposalFacts) foldVote(v voteFact) proposalFacts {
	s.votes = s.votes.Set(voteKey(v.Proposal, v.Ref), v)
	return s.rest(v.Ref, v.Proposal).touch(v.Proposal)
}

// lastVote returns an author's latest untainted vote on a proposal.
func (s proposalFacts) lastVote(proposal journal.EntryID, who journal.Author) (voteFact, bool) {
	of := mapkey.Of2(proposal, who)
	for from := of; ; {
		var chain journal.ChainKey
		for _, v := range pmap.PrefixFrom(s.votes, of, from) {
			if !s.tainted(v.Ref) {
				return v, true
			}
			chain = v.Ref.Chain
			break
		}
		if chain.Incarnation == 0 {
			return voteFact{}, false
		}
		// The latest one below where the chain is tainted; else the chain before.
		below := Ref{Chain: chain, Seq: s.TaintedFrom(chain) - 1}
		from = of + string([]byte{^chain.Incarnation}) + string(binary.BigEndian.AppendUint64(nil, ^below.Seq))
		for _, v := range pmap.PrefixFrom(s.votes, of+string([]byte{^chain.Incarnation}), from) {
			return v, true
		}
		from = mapkey.After(of + string([]byte{^chain.Incarnation}))
	}
}

// Against returns the members who stand against a proposal, by key index: of
// a member's votes the latest untainted one counts, by incarnation and seq, and
// its key's signature on all inputs outranks them.
func (s proposalFacts) Against(p *Proposal) map[int]string {
	out := map[int]string{}
	if s.active == nil || !p.Sound {
		return out
	}
	for k := range s.active.Members {
		var last voteFact
		found := false
		for _, who := range s.active.Identities(k) { // the latest one last
			if v, ok := s.lastVote(p.Ref.ID, who); ok {
				last, found = v, true
			}
		}
		if found && last.Against && s.SignedInputs(p, k) < len(p.Body.Inputs) {
			out[k] = last.Reason
		}
	}
	return out
}

func Later(a, b Ref) bool {
	if a.Chain.Incarnation != b.Chain.Incarnation {
		return a.Chain.Incarnation > b.Chain.Incarnation
	}
	return a.Seq > b.Seq
}

// Withdrawn says whether the proposal's author withdrew it.
func (s proposalFacts) Withdrawn(p *Proposal) bool { return s.withdrawn(p, &Inquiry{}) }

func (s proposalFacts) withdrawn(p *Proposal, q *Inquiry) bool {
	return s.statedBy(s.withdrawals, mapkey.Of(p.Ref.ID), p.Author(), q)
}

// myVote says whether this node stands against a proposal by its own vote.
func (s proposalFacts) MyVote(p *Proposal) bool {
	me, ok := s.active.Index(s.Me())
	if !ok {
		return false
	}
	_, against := s.Against(p)[me]
	return against
}
