package group

import (
	"reflect"
	"strings"
	"testing"
)

// Each part of a snapshot has a key of its own: of two with one key one is left out without a
// word, and what it holds is gone once a node starts again.
func TestNoTwoPartsOfASnapshotHaveOneKey(t *testing.T) {
	of := map[string]string{}
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for f := range typ.Fields() {
			if f.Anonymous {
				walk(f.Type, path+f.Name+".")
				continue
			}
			key, _, _ := strings.Cut(f.Tag.Get("cbor"), ",")
			if key == "" {
				t.Errorf("%s%s has no key", path, f.Name)
			} else if other, taken := of[key]; taken {
				t.Errorf("%s and %s%s have key %s", other, path, f.Name, key)
			}
			of[key] = path + f.Name
		}
	}
	walk(reflect.TypeFor[stateSnapshot](), "")
	if len(of) < 30 {
		t.Errorf("a snapshot has %d parts only", len(of))
	}
}
