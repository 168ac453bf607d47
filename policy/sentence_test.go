package policy

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write what the sentences are anew")

func testNames(k Key) string {
	return []string{"ana", "boris", "chen", "vault-1", "vault-2"}[min(k, 4)]
}

// All that the example says, as people read it.
func TestSentences(t *testing.T) {
	p, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(append(p.Sentences(testNames), p.WorstSentences(5, 3, testNames)...), "\n") + "\n"
	const file = "testdata/example.sentences"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s", got)
	}
}

// Whatever a policy says is in its sentences: another figure, member or rule gives others.
func TestSentencesTellAll(t *testing.T) {
	changed := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t, "p")
		b := Encode(p)
		var tree any
		if err := cbor.Unmarshal(b, &tree); err != nil {
			t.Fatal(err)
		}
		// Each number, text and flag of it, one after the other; the second is the title.
		for at := range leaves(tree) {
			n := 0
			altered, err := theCodec.enc.Marshal(alterLeaf(tree, &n, at))
			if err != nil {
				t.Fatal(err)
			}
			q, err := Decode(altered)
			if err != nil || bytes.Equal(altered, b) {
				continue // it says nothing else, or nothing
			}
			changed++
			if slices.Equal(p.Sentences(testNames), q.Sentences(testNames)) {
				t.Fatalf("%+v\n%+v\nboth are: %s", p, q, strings.Join(p.Sentences(testNames), "\n"))
			}
		}
	})
	if changed == 0 {
		t.Error("no policy was changed: this test looks at nothing")
	}
}

// leaves counts the numbers, texts and flags of a tree.
func leaves(tree any) int {
	n := 0
	alterLeaf(tree, &n, -1)
	return n
}

// alterLeaf changes the leaf that is number at.
func alterLeaf(tree any, n *int, at int) any {
	switch x := tree.(type) {
	case map[any]any:
		keys := make([]uint64, 0, len(x))
		for k := range x {
			keys = append(keys, k.(uint64))
		}
		slices.Sort(keys)
		out := map[any]any{}
		for _, k := range keys {
			out[k] = alterLeaf(x[k], n, at)
		}
		return out
	case []any:
		out := []any{}
		for _, v := range x {
			out = append(out, alterLeaf(v, n, at))
		}
		return out
	}
	*n++
	if *n-1 != at {
		return tree
	}
	switch x := tree.(type) {
	case uint64:
		return x + 1
	case string:
		return x + "x"
	case bool:
		return !x
	case []byte:
		return append(bytes.Clone(x), 9)
	}
	return tree
}

// A name that could deceive is not shown as it is.
func TestSentencesAreSafe(t *testing.T) {
	p := &Policy{Title: "a\x1b[2J", Robots: 1, Rules: []Rule{{Name: "r", When: When{Kinds: []Kind{Payment}}, Then: Sign, Else: Deny}}}
	for _, s := range p.Sentences(func(Key) string { return "x\u202ey" }) {
		if strings.ContainsAny(s, "\x1b\u202e") {
			t.Errorf("%q", s)
		}
	}
}

func TestSpanWords(t *testing.T) {
	for s, want := range map[int64]string{0: "0 seconds", 1: "1 second", 59: "59 seconds", 60: "1 minute", 90: "90 seconds", 3600: "1 hour", 86400: "24 hours", 172800: "2 days", 90000: "25 hours", -1: "0 seconds"} {
		if got := spanWords(s); got != want {
			t.Errorf("%d is %q, want %q", s, got, want)
		}
	}
}

func TestDaysWords(t *testing.T) {
	for days, want := range map[uint8]string{31: "Mon-Fri", 127: "Mon-Sun", 1: "Mon", 3: "Mon,Tue", 0b1010101: "Mon,Wed,Fri,Sun", 0b1100111: "Mon-Wed,Sat,Sun"} {
		if got := daysWords(days); got != want {
			t.Errorf("%b is %q, want %q", days, got, want)
		}
		if h, err := hours(want + " 08:00-09:00 UTC"); err != nil || h.Days != days {
			t.Errorf("%q is read as %b, %v", want, h.Days, err)
		}
	}
}
