package ops

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/app"
)

// A whole node is one with its keys, whose restore is not under way. Where something of one
// is, no other is made.
func TestHoldsNode(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	if _, err := Init(initOptions(made)); err != nil {
		t.Fatal(err)
	}
	if !HoldsNode(made) || Vacant(made) == nil {
		t.Error("a node that was made does not count")
	}
	for what, x := range map[string]struct {
		files         []string
		holds, vacant bool
	}{
		"nothing":                  {nil, false, true},
		"other files":              {[]string{"notes.txt"}, false, true},
		"a configuration":          {[]string{app.ConfigName}, false, false},
		"keys":                     {[]string{app.KeystoreName}, true, false},
		"the rest of a restore":    {[]string{restoringName}, false, false},
		"a restore that has keys":  {[]string{restoringName, app.KeystoreName}, false, false},
		"a store without its keys": {[]string{app.ConfigName, app.StoreName}, false, false},
	} {
		dir := t.TempDir()
		for _, name := range x.files {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if HoldsNode(dir) != x.holds || (Vacant(dir) == nil) != x.vacant {
			t.Errorf("%s: holds a node %v, and vacant: %v", what, HoldsNode(dir), Vacant(dir))
		}
	}
	if dir := filepath.Join(made, "nowhere"); HoldsNode(dir) || Vacant(dir) != nil {
		t.Error("a directory that is not there")
	}
}
