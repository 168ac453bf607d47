package app

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// A robot tells of another one on its machine, and of nobody else; no other node tells.
func TestRobotsTogether(t *testing.T) {
	var members []group.Member
	for n := range byte(4) {
		members = append(members, group.Member{Identity: journal.Author{n + 1}, Name: string('a' + rune(n))})
	}
	robots := policy.KeysOf(1, 2, 3)
	for name, x := range map[string]struct {
		me   byte
		here []byte
		want []string
	}{
		"nobody is here":             {2, nil, nil},
		"itself":                     {2, []byte{2}, nil},
		"a human":                    {2, []byte{1}, nil},
		"a robot":                    {2, []byte{1, 3}, []string{"c"}},
		"two robots":                 {2, []byte{2, 3, 4}, []string{"c", "d"}},
		"a human's node with robots": {1, []byte{2, 3}, nil},
		"no member":                  {9, []byte{2, 3}, nil},
	} {
		got := robotsTogether(robots, members, journal.Author{x.me}, func(a journal.Author) bool { return slices.Contains(x.here, a[0]) })
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
