package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal/pmap"
)

// fullySigned returns of how many keys the entries hold verified signatures on
// every input of a transaction, as this view knows what its inputs hold, and
// whether they satisfy it.
func (s proposalFacts) FullySigned(v ledger.View, tx chainhash.Hash) (most int, final bool) {
	count := func(p *Proposal) {
		of := s.progress(p)
		most, final = max(most, of.Completed()), final || of.Final()
	}
	for signs := range pmap.Prefix(s.props.full, mapkey.Of(tx)) {
		for _, r := range pmap.Prefix(s.props.stating, signs) {
			if p, _ := s.Proposal(r.ID); !Belies(v, p) {
				count(p)
			}
			break
		}
	}
	if s.active == nil || most > 0 {
		return most, final
	}
	for _, p := range s.CopiesOf(tx) {
		if !Belies(v, p) {
			count(p)
		}
	}
	return most, final
}
