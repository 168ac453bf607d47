package group

import (
	"github.com/quorate/quorate/coordinator/ledger"
)

// leasedWithin returns the part of a span from the first to the last index that
// an untainted entry took.
func (s proposalFacts) LeasedWithin(x ledger.Span) ledger.Span {
	var out ledger.Span
	for i := x.From; i < x.Until; i++ {
		if s.leasedAny(i) {
			out = out.Join(ledger.Span{From: i, Until: i + 1})
		}
	}
	return out
}
