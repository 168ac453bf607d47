package group

import (
	"encoding/binary"
	"iter"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// proposalIndex is how proposals, and what was said of them, are found without
// a look at all of them. It is made of them as they are folded.
//
// Within one chain, entries are tainted from some seq on. So the first entry of
// each chain that states a fact tells whether an untainted one states it, and
// the others need not be kept. An author has 64 chains at most.
type proposalIndex struct {
	byTx     pmap.Map[string, struct{}] // by txid | proposal
	byTime   pmap.Map[string, struct{}] // by claimed time, the latest first | proposal
	firsts   pmap.Map[string, Ref]      // by txid | chain: its first proposal of the transaction
	stating  pmap.Map[string, Ref]      // by txid | spend id | chain: its first proposal that signs this
	byCoin   pmap.Map[string, struct{}] // by outpoint | chain | seq | proposal
	spending pmap.Map[string, struct{}] // by outpoint | txid
	byChange pmap.Map[string, struct{}] // by change index | chain | seq | proposal
	declared pmap.Map[string, Ref]      // by txid | replaced txid | chain: its first declaration
	replacer pmap.Map[string, Ref]      // by replaced txid | chain: its first proposal that declares it
	// rests has every entry that states a proposal, or something of one, by
	// chain | seq | entry id: what may count otherwise when the chain is tainted.
	rests pmap.Map[string, journal.EntryID]

	signed   pmap.Map[string, int]         // by txid | spend id | key: inputs signed
	bySigner pmap.Map[string, struct{}]    // by outpoint | key | txid
	final    pmap.Map[string, struct{}]    // by outpoint | txid: transactions with all signatures
	full     pmap.Map[string, struct{}]    // by txid | spend id: the same, as what they have them: one, unless k members lie
	brought  pmap.Map[string, uint64]      // by txid | spend id | input | key | chain: the seq that first brought it
	endorsed pmap.Map[string, endorsement] // by txid | key | chain: its first approval with a signature of the key
}

// endorsement is the proposal that an approval names.
type endorsement struct {
	Seq      uint64
	Proposal journal.EntryID
}

// placeKey puts entries in order of chain and seq.
func placeKey(r Ref) string {
	return mapkey.Chain(r.Chain) + string(binary.BigEndian.AppendUint64(nil, r.Seq)) + string(r.ID[:])
}

func timeKey(r Ref) string {
	return string(binary.BigEndian.AppendUint64(make([]byte, 0, 40), ^uint64(r.Time))) + string(r.ID[:])
}

// earliest keeps, of the entries of one chain that state a fact, the first.
func earliest(m pmap.Map[string, Ref], fact string, r Ref) pmap.Map[string, Ref] {
	k := fact + mapkey.Chain(r.Chain)
	if old, ok := m.Get(k); ok && (old.Seq < r.Seq || old.Seq == r.Seq && string(old.ID[:]) <= string(r.ID[:])) {
		return m
	}
	return m.Set(k, r)
}

// stated says whether an untainted entry states a fact of which each chain's
// first statement is kept.
func (s proposalFacts) stated(m pmap.Map[string, Ref], fact string) bool {
	for _, r := range pmap.Prefix(m, fact) {
		if !s.tainted(r) {
			return true
		}
	}
	return false
}

// index makes a sound proposal findable.
func (s proposalFacts) index(p *Proposal) proposalFacts {
	x, at, id := &s.props, placeKey(p.Ref), string(p.Ref.ID[:])
	x.byTx = x.byTx.Set(mapkey.Of2(p.TxID, p.Ref.ID), struct{}{})
	x.byTime = x.byTime.Set(timeKey(p.Ref), struct{}{})
	x.firsts = earliest(x.firsts, mapkey.Of(p.TxID), p.Ref)
	x.stating = earliest(x.stating, p.signs, p.Ref)
	for _, i := range p.Body.Inputs {
		coin := mapkey.Coin(i.OutPoint())
		x.byCoin = x.byCoin.Set(coin+at, struct{}{})
		if k := coin + mapkey.Of(p.TxID); !mapkey.Has(x.spending, k) {
			x.spending = x.spending.Set(k, struct{}{})
		}
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			x.byChange = x.byChange.Set(string(binary.BigEndian.AppendUint32(nil, *o.Change))+at, struct{}{})
		}
	}
	for _, t := range p.Body.Replaces {
		if t == p.TxID {
			continue
		}
		x.declared = earliest(x.declared, mapkey.Of2(p.TxID, t), p.Ref)
		x.replacer = earliest(x.replacer, mapkey.Of(t), p.Ref)
	}
	x.rests = x.rests.Set(at, journal.EntryID([]byte(id)))
	return s
}

// rest notes that an entry says something of a proposal.
func (s proposalFacts) rest(r Ref, proposal journal.EntryID) proposalFacts {
	s.props.rests = s.props.rests.Set(placeKey(r), proposal)
	return s
}

// credited notes that a key's signature on an input is held now, for the first
// time if it is new, brought by an entry.
func (s proposalFacts) credited(p *Proposal, input, signer uint32, c carrierFact, isNew bool) proposalFacts {
	x := &s.props
	k := sigKey(p.signs, input, signer) + mapkey.Chain(c.Ref.Chain)
	if old, ok := x.brought.Get(k); !ok || c.Ref.Seq < old {
		x.brought = x.brought.Set(k, c.Ref.Seq)
	}
	if !c.Carried {
		e := endorsement{c.Ref.Seq, c.Proposal}
		k := approvalKey(mapkey.Of(p.TxID), signer) + mapkey.Chain(c.Ref.Chain)
		old, ok := x.endorsed.Get(k)
		if !ok || e.Seq < old.Seq || e.Seq == old.Seq && string(e.Proposal[:]) < string(old.Proposal[:]) {
			x.endorsed = x.endorsed.Set(k, e)
		}
	}
	if !isNew {
		return s
	}
	of := approvalKey(p.signs, signer)
	n, _ := x.signed.Get(of)
	x.signed = x.signed.Set(of, n+1)
	return s.signedNow(p, signer, n+1)
}

// signedNow notes that a key signed so many inputs of a proposal. That it signed
// the transaction at all holds whatever the inputs were stated to be.
func (s proposalFacts) signedNow(p *Proposal, signer uint32, inputs int) proposalFacts {
	x := &s.props
	if inputs == 1 {
		for _, i := range p.Body.Inputs {
			x.bySigner = x.bySigner.Set(signerKey(i, signer)+mapkey.Of(p.TxID), struct{}{})
		}
	}
	if inputs == len(p.Body.Inputs) && s.Final(p) && !mapkey.Has(x.full, p.signs) {
		x.full = x.full.Set(p.signs, struct{}{})
		for _, i := range p.Body.Inputs {
			x.final = x.final.Set(mapkey.Coin(i.OutPoint())+mapkey.Of(p.TxID), struct{}{})
		}
	}
	return s
}

func signerKey(i event.ProposalInput, signer uint32) string {
	return mapkey.Coin(i.OutPoint()) + string(binary.BigEndian.AppendUint32(nil, signer))
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
		of := k[:64] + k[68:72]
		n, _ := s.props.signed.Get(of)
		s.props.signed = s.props.signed.Set(of, n+1)
	}
	for of, n := range s.props.signed.All() {
		for _, r := range pmap.Prefix(s.props.stating, of[:64]) {
			p, _ := s.Proposal(r.ID)
			s = s.signedNow(p, mapkey.Uint32(of[64:68]), 1).signedNow(p, mapkey.Uint32(of[64:68]), n)
			break
		}
	}
	for _, c := range s.carriers.All() {
		s = s.rest(c.Ref, c.Proposal)
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

// fewOfEach looks at the first maxLooked proposals of each author in an index
// by prefix | chain | seq | proposal, until look says no.
func fewOfEach(m pmap.Map[string, struct{}], prefix string, look func(journal.EntryID) bool) {
	for from, more := prefix, true; more; {
		n, who := 0, ""
		more = false
		for k := range pmap.PrefixFrom(m, prefix, from) {
			a := k[len(prefix) : len(prefix)+32]
			if n > 0 && a != who || n == maxLooked {
				from, more = mapkey.After(prefix+who), true
				break
			}
			who = a
			if n++; !look(mapkey.Entry(k)) {
				return
			}
		}
	}
}

// AllProposals yields every proposal held, by entry id, whether it has effect or not.
func (s proposalFacts) AllProposals(yield func(*Proposal) bool) {
	for _, p := range s.proposals.All() {
		if !yield(p) {
			return
		}
	}
}

// ProposalsFrom yields the proposals whose id in bytes starts with a prefix, by id.
func (s proposalFacts) ProposalsFrom(prefix string) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, p := range pmap.Prefix(s.proposals, prefix) {
			if !yield(p) {
				return
			}
		}
	}
}

// ProposalsOf yields the proposals of a transaction (32 bytes), from a place on,
// with their places.
func (s proposalFacts) ProposalsOf(tx, at string) iter.Seq2[string, *Proposal] {
	return func(yield func(string, *Proposal) bool) {
		for k := range pmap.PrefixFrom(s.props.byTx, tx, at) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(k, p) {
				return
			}
		}
	}
}

// ProposedTx says whether somebody proposed a transaction.
func (s proposalFacts) ProposedTx(tx chainhash.Hash) bool {
	return mapkey.HasPrefix(s.props.byTx, mapkey.Of(tx))
}

// StatingCoin yields every proposal that states a coin as an input.
func (s proposalFacts) StatingCoin(o wire.OutPoint) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for k := range pmap.Prefix(s.props.byCoin, mapkey.Coin(o)) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}
}

// ByTime yields the proposals, newest first by the time their authors claim, after
// one of them or from the first on, whether they have effect or not.
func (s proposalFacts) ByTime(after *Ref) iter.Seq[*Proposal] {
	from := ""
	if after != nil {
		from = timeKey(*after) + "\x00"
	}
	return func(yield func(*Proposal) bool) {
		for k := range s.props.byTime.From(from) {
			if p, ok := s.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}
}

// Spent says whether a proposal spends a coin, or any output of a transaction
// where its id alone is given (see coinKey).
func (s proposalFacts) Spent(coins string) bool { return mapkey.HasPrefix(s.props.spending, coins) }

// VisitSpending visits the transactions that spend coins (as Spent), from a place
// on, until the visits cost so much. It returns what they cost, and the first place
// that is left, or "".
func (s proposalFacts) VisitSpending(coins, at string, most int, visit func(tx chainhash.Hash) int) (used int, next string) {
	return gone(s.props.spending, coins, at, most, func(k string, _ struct{}) int { return visit(chainhash.Hash([]byte(k[36:]))) })
}

// VisitResting visits the proposals that rest on the entries of a chain from a seq
// on (see restsFrom), likewise.
func (s proposalFacts) VisitResting(of, at string, most int, visit func(journal.EntryID) int) (used int, next string) {
	return gone(s.props.rests, of, at, most, func(_ string, id journal.EntryID) int { return visit(id) })
}

// gone goes through a part of an index, from a key on, until the visits cost so
// much. It returns what they cost, and the first key that is left, or "".
func gone[V any](m pmap.Map[string, V], prefix, from string, most int, visit func(string, V) int) (used int, next string) {
	for k, v := range pmap.PrefixFrom(m, prefix, from) {
		if used >= most {
			return used, k
		}
		used += max(1, visit(k, v))
	}
	return used, ""
}

// SignatureHeld says whether a signature on a proposal's input by a key is held.
func (s proposalFacts) SignatureHeld(p *Proposal, input, key uint32) bool {
	_, held := s.sigs.Get(sigKey(p.signs, input, key))
	return held
}

// FirstApproval returns who brought the first signature of a key on what a
// proposal signs.
func (s proposalFacts) FirstApproval(p *Proposal, key uint32) (Approval, bool) {
	return s.approvals.Get(approvalKey(p.signs, key))
}
