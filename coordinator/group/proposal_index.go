package group

import (
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// earliest keeps, of the entries of one chain that state a fact, the first.
func earliest(m pmap.Map[string, Ref], fact string, r Ref) pmap.Map[string, Ref] {
	k := fact + mapkey.Chain(r.Chain)
	if old, ok := m.Get(k); ok && (old.Seq < r.Seq || old.Seq == r.Seq && string(old.ID[:]) <= string(r.ID[:])) {
		return m
	}
	return m.Set(k, r)
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
