package meter

import (
	"testing"

	"pgregory.net/rapid"
)

// leaves says whether a walk lets more than the larger limit leave.
func (s *shift) leaves() bool {
	for range 80 {
		if s.step(); s.over() {
			return true
		}
	}
	return false
}

// Policies change while robots are kept apart: no more than the larger limit leaves in a window.
func TestMovingOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShift(rapidly{t}, astray{})
		for range rapid.IntRange(20, 80).Draw(t, "steps") {
			if s.step(); s.over() {
				t.Fatalf("too much leaves: %+v", s)
			}
		}
	})
}

// Each fault in moving over is found by the walk that finds nothing without one.
func TestFaultsOfMovingAreFound(t *testing.T) {
	// Some are rare: the walk that finds each is tried first.
	for name, c := range map[string]struct {
		wrong astray
		first uint64
	}{
		"none":                             {astray{}, 0},
		"the new share at once":            {astray{atOnce: true}, 0},
		"the new pool is empty":            {astray{poolEmpty: true}, 0},
		"shares count nothing of others":   {astray{noBeyond: true}, 0},
		"new ones sign at once":            {astray{newSign: true}, 7785},
		"grants go on":                     {astray{grants: true, notVoid: true}, 0},
		"reserved before, signed after":    {astray{notVoid: true}, 0},
		"left out, and signs by hand":      {astray{byHand: true}, 0},
		"left out, and counts for nothing": {astray{leftOut: true}, 0},
		"what a human signed is forgotten": {astray{ownOnly: true}, 15319},
		"new ones are not waited for":      {astray{oldOnly: true}, 31084},
		"a second change forgets":          {astray{cut: true}, 0},
	} {
		sound, seeds := c.wrong == (astray{}), walks()
		if !sound {
			seeds *= 20
		}
		if testing.Short() && !sound {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for n := c.first; n < c.first+seeds; n++ {
				if !newShift(seed(n), c.wrong).leaves() {
					continue
				}
				if sound || newShift(seed(n), astray{}).leaves() {
					t.Fatalf("seed %d: too much leaves where nothing is wrong", n)
				}
				t.Logf("found by seed %d", n)
				return
			}
			if !sound {
				t.Errorf("not found in %d seeds", seeds)
			}
		})
	}
}
