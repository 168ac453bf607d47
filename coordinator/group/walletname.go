package group

import (
	"cmp"
)

// Renamed returns what the founder calls the wallet by now, or "".
func (s setupFacts) Renamed() string { return s.renamed }

// foldName takes in what the founder names the wallet: what counts is its first
// entry, in the order of its own chains, so that writing again changes nothing.
// The last is kept to be shown.
func (s setupFacts) foldName(ref Ref, name string) setupFacts {
	if s.name == "" || inOrderOf(ref, s.nameRef) < 0 {
		s.name, s.nameRef = name, ref
	}
	if s.renamed == "" || inOrderOf(ref, s.renamedRef) > 0 {
		s.renamed, s.renamedRef = name, ref
	}
	return s
}

// inOrderOf compares two entries of one author by its chains. Where it forked,
// the ids decide.
func inOrderOf(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Chain.Incarnation, b.Chain.Incarnation), cmp.Compare(a.Seq, b.Seq), cmp.Compare(string(a.ID[:]), string(b.ID[:])))
}
