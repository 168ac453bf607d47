package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// Strayed is a signature that no untainted entry brings, and the keys whose
// owners bring it past a fork.
type Strayed struct {
	event.PartialSignature
	By []uint32
}

// OnlyPastForks returns the signatures on a proposal by a key that entries past
// a fork bring, and no untainted one.
func (s proposalFacts) OnlyPastForks(p *Proposal, signer uint32, q *Inquiry) []Strayed {
	var out []Strayed
	for i := range p.Body.Inputs {
		of := sigKey(p.signs, uint32(i), signer)
		if s.cleanly(of, q) {
			continue
		}
		by := s.pastForks(of, q)
		if b, ok := s.sigs.Get(of); ok && len(by) > 0 {
			out = append(out, Strayed{event.PartialSignature{Input: uint32(i), Key: signer, Bytes: b}, by})
		}
	}
	return out
}

// cleanly says whether an untainted entry brings a signature on an input by a key.
func (s proposalFacts) cleanly(of bySignature, q *Inquiry) bool {
	for k, seq := range pmap.Prefix(s.props.brought, byBringer(of)) {
		q.Asked++
		if !s.tainted(Ref{Chain: mapkey.ChainOf(k[len(of):]), Seq: seq}) {
			return true
		}
	}
	return false
}

// BroughtCleanly says whether an untainted entry brings a key's signature on an
// input of what a proposal signs.
func (s proposalFacts) BroughtCleanly(p *Proposal, input, key uint32) bool {
	return s.cleanly(sigKey(p.signs, input, key), &Inquiry{})
}

// pastForks returns the keys whose owners bring a signature in tainted entries of
// forked chains: the signing key alone if it is one of them, whose it is anyway.
func (s proposalFacts) pastForks(of bySignature, q *Inquiry) []uint32 {
	signer := mapkey.Uint32(of[68:72])
	var out []uint32
	for k, seq := range pmap.Prefix(s.props.brought, byBringer(of)) {
		q.Asked++
		c := mapkey.ChainOf(k[len(of):])
		by, ok := s.active.KeyOf(c.Author)
		if !ok || s.chains.ForkedAt(c) == 0 || !s.tainted(Ref{Chain: c, Seq: seq}) {
			continue
		}
		if uint32(by) == signer {
			return []uint32{signer}
		}
		if len(out) == 0 || out[len(out)-1] != uint32(by) {
			out = append(out, uint32(by))
		}
	}
	return out
}

// CarriedPastForks yields, of each entry in which this node carried signatures of
// others, those that only entries past a fork bring.
func (s proposalFacts) CarriedPastForks(yield func([]Strayed) bool) {
	for _, c := range s.carriers.All() {
		p, ok := s.Proposal(c.Proposal)
		if !ok || !p.Sound || !c.Carried || c.Ref.Chain.Author != s.Me() {
			continue
		}
		var out []Strayed
		for _, x := range c.Signatures {
			if by := s.pastForks(sigKey(p.signs, x.Input, x.Key), &Inquiry{}); len(by) > 0 {
				out = append(out, Strayed{x, by})
			}
		}
		if !yield(out) {
			return
		}
	}
}
