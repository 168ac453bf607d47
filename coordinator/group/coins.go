package group

import (
	"bytes"
	"slices"
)

func SortProposals(ps []*Proposal) {
	sortBy(ps, func(a, b *Proposal) int { return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:]) })
}

func sortBy(ps []*Proposal, less func(a, b *Proposal) int) { slices.SortFunc(ps, less) }
