package journal

import (
	"slices"
	"testing"
)

func TestMissing(t *testing.T) {
	other := ChainKey{Author{2}, 1}
	forkedKey := ChainKey{Author{3}, 1}
	ours := run(chainA, 1, EntryID{}, 5, "")
	forked := run(forkedKey, 1, EntryID{}, 5, "")
	c := mustAdd(t, Chains{}, Appended, false, slices.Concat(ours, forked)...)
	c = mustAdd(t, c, Forked, false, at(forkedKey, 4, EntryID{1}, "x"))
	for _, tc := range []struct {
		name   string
		theirs Frontier
		want   []Pull
	}{
		{"nothing", nil, nil},
		{"the same", Frontier{chainA: ours[4].Position()}, nil},
		{"less", Frontier{chainA: ours[2].Position()}, nil},
		{"more", Frontier{chainA: {9, EntryID{9}}}, []Pull{{chainA, 6, 9}}},
		{"another branch of the same length", Frontier{chainA: {5, EntryID{9}}}, []Pull{{chainA, 5, 5}}},
		{"another branch, shorter", Frontier{chainA: {2, EntryID{9}}}, []Pull{{chainA, 2, 2}}},
		{"past a known fork", Frontier{forkedKey: {9, EntryID{9}}}, nil},
		{"at a known fork", Frontier{forkedKey: {4, EntryID{9}}}, nil},
		{"a lower fork", Frontier{forkedKey: {3, EntryID{9}}}, []Pull{{forkedKey, 3, 3}}},
		{"a loose entry", Frontier{forkedKey: forked[4].Position()}, nil},
		{"new chains, in order", Frontier{
			{Author{2}, 2}: {3, EntryID{9}}, other: {2, EntryID{8}}, {Author{1}, 64}: {MaxSeq, EntryID{7}},
		}, []Pull{{ChainKey{Author{1}, 64}, 1, MaxSeq}, {other, 1, 2}, {ChainKey{Author{2}, 2}, 1, 3}}},
		{"impossible", Frontier{
			other: {0, EntryID{9}}, {Author{2}, 2}: {1 << 63, EntryID{9}},
			{Author{2}, 0}: {1, EntryID{9}}, {Author{2}, 65}: {1, EntryID{9}},
		}, nil},
	} {
		if got := c.Missing(tc.theirs); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// Whoever pulls what Missing names ends with the frontier of the other, or with
// proof of the fork.
func TestMissingLeadsToTheOther(t *testing.T) {
	ours := run(chainA, 1, EntryID{}, 40, "")
	theirs := mustAdd(t, Chains{}, Appended, false, ours...)
	c := mustAdd(t, Chains{}, Appended, false, ours[:3]...)
	for _, p := range c.Missing(theirs.Frontier()) {
		c = mustAdd(t, c, Appended, false, ours[p.From-1:p.To]...)
	}
	if c.Frontier()[chainA] != theirs.Frontier()[chainA] || c.Missing(theirs.Frontier()) != nil {
		t.Errorf("frontier %v", c.Frontier())
	}
	branch := at(chainA, 20, ours[18].ID(), "branch")
	liar := mustAdd(t, Chains{}, Appended, false, append(slices.Clone(ours[:19]), branch)...)
	pulls := c.Missing(liar.Frontier())
	if !slices.Equal(pulls, []Pull{{chainA, 20, 20}}) {
		t.Fatalf("pulls %v", pulls)
	}
	c = mustAdd(t, c, Forked, false, branch)
	if c.ForkedAt(chainA) != 20 || c.Missing(liar.Frontier()) != nil {
		t.Errorf("forked at %d", c.ForkedAt(chainA))
	}
}
