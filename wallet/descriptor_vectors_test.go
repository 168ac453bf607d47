package wallet

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

type descriptorVector struct {
	Section, Descriptor, Comment string
	Valid                        bool
	Expands                      []string
}

func readDescriptorVectors(t *testing.T, bip string, want int) []descriptorVector {
	t.Helper()
	var file struct{ Vectors []descriptorVector }
	readShared(t, &file, "vectors", bip+".json")
	if len(file.Vectors) != want {
		t.Fatalf("%s has %d vectors, want %d", bip, len(file.Vectors), want)
	}
	return file.Vectors
}

// TestBIP380Vectors runs all 45: the first eight are descriptors about the
// checksum, the others are bare key expressions.
func TestBIP380Vectors(t *testing.T) {
	for i, v := range readDescriptorVectors(t, "bip-0380", 45) {
		var err error
		if strings.HasPrefix(v.Descriptor, "raw(") {
			_, _, err = parseExpr(v.Descriptor)
		} else {
			p := &parser{what: "key", s: v.Descriptor}
			if _, err = p.keyExpr(); err == nil && p.pos != len(p.s) {
				err = errors.New("text after the key")
			}
		}
		if (err == nil) != v.Valid {
			t.Errorf("%d (%s): %v, valid is %v", i, v.Comment, err, v.Valid)
		}
		var syntax *SyntaxError
		if err != nil && v.Comment != "" && !errors.As(err, &syntax) && i < 8 {
			t.Errorf("%d (%s): no position in %v", i, v.Comment, err)
		}
	}
}

// TestScriptVectors runs every vector of BIP381, 382 and 383: none is left out.
func TestScriptVectors(t *testing.T) {
	for bip, n := range map[string]int{"bip-0381": 21, "bip-0382": 23, "bip-0383": 13} {
		for i, v := range readDescriptorVectors(t, bip, n) {
			e, _, err := parseExpr(v.Descriptor)
			if (err == nil) != v.Valid {
				t.Errorf("%s %d (%s): %v, valid is %v", bip, i, v.Comment, err, v.Valid)
			}
			if err != nil {
				continue
			}
			if len(v.Expands) == 0 {
				t.Errorf("%s %d: no scripts to compare", bip, i)
			}
			for index, want := range v.Expands {
				got, err := e.script(0, uint32(index))
				if err != nil || hex.EncodeToString(got) != want {
					t.Errorf("%s %d: script %d is %x (%v), want %s", bip, i, index, got, err, want)
				}
			}
		}
	}
}

// TestBIP389Vectors runs all 14. One of the invalid ones (different lengths in
// a tr()) is refused because tr() is not supported, not for its lengths; that
// reason is held by the other one, in sh(multi()).
func TestBIP389Vectors(t *testing.T) {
	reasons := map[string]string{
		"Multiple multipath specifiers":               "second multipath specifier",
		"Multipath specifier in origin":               "want a derivation index",
		"Multipath specifiers of mismatched lengths":  "multipath specifier of 2 paths, another has 3",
		"Empty multipath specifier":                   "want a derivation index",
		"Missing multipath start":                     "after the key",
		"Missing multipath end":                       "want ';'",
		"Missing index in multipath specifier":        "want a derivation index",
		"Multipath specifiers of mismatched lengths+": "unsupported descriptor: tr()",
	}
	for i, v := range readDescriptorVectors(t, "bip-0389", 14) {
		text := v.Descriptor
		comment, rest, found := strings.Cut(text, ": ")
		if found {
			text = rest
		} else {
			comment = v.Comment
		}
		e, _, err := parseExpr(text)
		if (err == nil) != v.Valid {
			t.Errorf("%d (%s): %v, valid is %v", i, comment, err, v.Valid)
			continue
		}
		if err != nil {
			if strings.HasPrefix(text, "tr(") {
				comment += "+"
			}
			want, ok := reasons[comment]
			if !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("%d (%s): refused with %q, want %q", i, comment, err, want)
			}
			continue
		}
		if e.multipath() != len(v.Expands) {
			t.Errorf("%d: %d paths, want %d", i, e.multipath(), len(v.Expands))
			continue
		}
		for path, want := range v.Expands {
			if got := e.on(path).String(); got != want {
				t.Errorf("%d: path %d is %s, want %s", i, path, got, want)
			}
			single, _, err := parseExpr(want)
			if err != nil {
				t.Fatal(err)
			}
			for index := range uint32(3) {
				a, errA := e.script(path, index)
				b, errB := single.script(0, index)
				if errA != nil || errB != nil || hex.EncodeToString(a) != hex.EncodeToString(b) {
					t.Errorf("%d: scripts differ on path %d at %d (%v, %v)", i, path, index, errA, errB)
				}
			}
		}
	}
}

// TestBIP67Vectors runs all four: sorting, script and P2SH address.
func TestBIP67Vectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			Name            string
			M               int
			List, Sorted    []string
			Script, Address string
		}
	}
	readShared(t, &file, "vectors", "bip-0067.json")
	if len(file.Vectors) != 4 {
		t.Fatalf("%d vectors, want 4", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		// The P2SH form is no wallet of ours; sh(sortedmulti()) is parsed all the same.
		e, _, err := parseExpr("sh(sortedmulti(" + string(rune('0'+v.M)) + "," + strings.Join(v.List, ",") + "))")
		if err != nil {
			t.Fatal(v.Name, err)
		}
		inner, err := e.sub.script(0, 0)
		if err != nil || hex.EncodeToString(inner) != v.Script {
			t.Errorf("%s: script %x (%v), want %s", v.Name, inner, err, v.Script)
		}
		outer, err := e.script(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := AddressOf(outer, Mainnet); err != nil || got != v.Address {
			t.Errorf("%s: address %s (%v), want %s", v.Name, got, err, v.Address)
		}
		if script, err := ParseAddress(v.Address, Mainnet); err != nil || hex.EncodeToString(script) != hex.EncodeToString(outer) {
			t.Errorf("%s: parsed %x (%v)", v.Name, script, err)
		}
	}
}
