package display_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/quorate/quorate/display"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"rent, March":                "rent, March",
		"two\nlines\tand tabs":       "two lines and tabs",
		"\x1b[2J":                    "\ufffd[2J",
		"a\u009b2Kb":                 "a\ufffd2Kb", // two-byte CSI
		"pay \u202emoor":             "pay \ufffdmoor",
		"no\u00a0break":              "no break",
		"Bob\u200b":                  "Bob\ufffd",
		"Bob\u3164":                  "Bob\ufffd",
		"\u2800":                     "\ufffd",
		"\u115f\u1160\uffa0\u034f":   "\ufffd\ufffd\ufffd\ufffd",
		"B\u200dob":                  "B\ufffdob",
		"\u0915\u094d\u200d\u0937":   "\u0915\u094d\u200d\u0937", // joins in Devanagari
		"\u0645\u06cc\u200c\u062e":   "\u0645\u06cc\u200c\u062e",
		"e\u0301\u0302":              "e\u0301\u0302",
		"e\u0301\u0302\u0303\u0304!": "e\u0301\u0302\ufffd\ufffd!",
		"\u0301e":                    "\ufffde", // a mark on what stands before the text
		"a \u0301":                   "a \ufffd",
		"\u2764\ufe0f":               "\u2764\ufe0f",
		"Bob\ufe0f":                  "Bob\ufffd",
		"\U0001f468\u200d\U0001f469": "\U0001f468\u200d\U0001f469",
		"\xff":                       "\ufffd",
		"\U000e0041":                 "\ufffd", // a tag
	} {
		if got := display.Line(in); got != want {
			t.Errorf("Line(%+q) = %+q, want %+q", in, got, want)
		}
		if got := display.Strip(in); strings.ContainsRune(got, '\ufffd') || strings.ReplaceAll(want, "\ufffd", "") != got {
			t.Errorf("Strip(%+q) = %+q", in, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, s := range []string{"", "rent", "two\nlines", "Jürgen", "no\u00a0break", "\u2764\ufe0f", "日本"} {
		if err := display.Check(s); err != nil {
			t.Errorf("Check(%+q) = %v", s, err)
		}
	}
	for _, s := range []string{"\x1b[m", "a\rb", "a\u009bb", "\u202e", "a\u200bb", "\u3164", "a\u2028b", "e\u0301\u0301\u0301", "\xff", "a\x85b"} {
		if err := display.Check(s); !errors.Is(err, display.ErrHidden) {
			t.Errorf("Check(%+q) = %v", s, err)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, s := range []string{"Bob", "Боб", "Ἀθηνᾶ", "Bob 2", "7", "Jürgen O'Neil", "太郎", "Анна (Wien)"} {
		if err := display.CheckName(s); err != nil {
			t.Errorf("CheckName(%q) = %v", s, err)
		}
	}
	for s, want := range map[string]error{
		"": display.ErrNoLetter, "---": display.ErrNoLetter, "\u2800": display.ErrHidden, "Bob\u3164": display.ErrHidden,
		"Bob\u200b": display.ErrHidden, "Bob\u0301\u0301\u0301": display.ErrHidden, " Bob": display.ErrSpace, "B\nob": display.ErrSpace,
		"B\u00a0b": display.ErrSpace, "B\u043eb": display.ErrScripts,
	} {
		if err := display.CheckName(s); !errors.Is(err, want) {
			t.Errorf("CheckName(%+q) = %v, want %v", s, err, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"Bob", "bob", "BOB", "B\u043eb", "\u0412\u043eb", "\u0412\u041e\u0412", "Bob\u200b", "Bob\u3164", "B0b", " Bob ", "Bob\u0301\u0301", "\uff22\uff4f\uff42", "\U0001d401ob", "\u13f4\u039f\u0392"},
		{"Alice", "AIice", "A1ice", "Al\u0456ce", "\u0391lice", "\u0410l\u0456\u0441\u0435", "Al\u0131ce", "Àlice"},
		{"ALICE", "alice"}, {"I", "l"}, {"I", "i"}, {"L", "l"}, {"1", "l"}, {"Marner", "Mamer"},
		{"Anna Maria", "anna\u2003 maria", "anna\u2800maria"},
		{"Stra\u00dfe", "STRASSE"},
	} {
		for _, s := range same[1:] {
			if !display.Alike(s, same[0]) || !display.Alike(same[0], s) {
				t.Errorf("Fold(%+q) = %q, Fold(%+q) = %q", s, display.Fold(s), same[0], display.Fold(same[0]))
			}
		}
	}
	for _, other := range [][2]string{{"Bob", "Rob"}, {"Bob", "Bob 2"}, {"Анна", "Инна"}, {"alice", "alicia"}, {"a", ""}, {"node-1", "node-2"}, {"I", "L"}, {"i", "L"}, {"i", "l"}, {"Ali", "All"}, {"1", "i"}} {
		if display.Alike(other[0], other[1]) {
			t.Errorf("%q and %q are alike", other[0], other[1])
		}
	}
}

func TestLooksLikeID(t *testing.T) {
	for s, want := range map[string]bool{"abc123": true, "ABC123": true, "abc12": false, "abc12g": false, strings.Repeat("0", 64): true, "face-d": false} {
		if display.LooksLikeID(s, 6) != want {
			t.Errorf("LooksLikeID(%q) = %v", s, !want)
		}
	}
}

func TestJSON(t *testing.T) {
	in := map[string]string{"k\u202e": "a\u009b2K\u200b\x7f\x1b\n \u2028 ü \U000e0041 \U0001f600"}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := display.JSON(b)
	if !bytes.Contains(out, []byte(`\u009b2K\u200b\u007f\u001b\n \u2028 ü \udb40\udc41 😀`)) {
		t.Errorf("%s", out)
	}
	var back map[string]string
	if err := json.Unmarshal(out, &back); err != nil || back["k\u202e"] != in["k\u202e"] {
		t.Errorf("%+q, %v", back, err)
	}
}

func TestWriterOfALog(t *testing.T) {
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(display.Writer(&b), nil)).Info("chain", "error", "x\u009b31m\u202ey")
	if s := b.String(); strings.ContainsAny(s, "\u009b\u202e") || !strings.Contains(s, `x\u009b31m\u202ey`) || !strings.HasSuffix(s, "\n") {
		t.Errorf("%q", s)
	}
}

// FuzzDisplay holds what is shown of any text to what the package promises.
func FuzzDisplay(f *testing.F) {
	for _, s := range []string{"", "Bob", "\x1b[2J\u009b\u202e", "e\u0301\u0301\u0301", "\u0915\u094d\u200d\u0937", "\xff\ufe0f", "a\u2800\u3164b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{display.Line(s), display.Strip(s)} {
			marks := 0
			for _, r := range out {
				if !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d' || unicode.Is(unicode.Bidi_Control, r) || r == '\u3164' || r == '\u2800' {
					t.Fatalf("%+q shows %U", s, r)
				}
				if marks++; !unicode.In(r, unicode.Mn, unicode.Me) && !unicode.Is(unicode.Mc, r) {
					marks = 0
				} else if unicode.Is(unicode.Mc, r) {
					marks--
				}
				if marks > 2 {
					t.Fatalf("%+q piles marks up: %+q", s, out)
				}
			}
			if display.Line(out) != out {
				t.Fatalf("of %+q comes %+q, which is shown as %+q", s, out, display.Line(out))
			}
			if !utf8.ValidString(out) {
				t.Fatalf("%+q is no UTF-8", out)
			}
		}
		if again := display.Line(display.Line(s)); again != display.Line(s) {
			t.Fatalf("Line(%+q) = %+q, and of that %+q", s, display.Line(s), again)
		}
		if err := display.Check(display.Strip(s)); err != nil {
			t.Fatalf("%+q: %v", display.Strip(s), err)
		}
		if display.Check(s) == nil && strings.ContainsRune(display.Line(s), '\ufffd') && !strings.ContainsRune(s, '\ufffd') {
			t.Fatalf("%+q is taken, and shown as %+q", s, display.Line(s))
		}
		if fold := display.Fold(s); display.Fold(fold) != fold {
			t.Fatalf("Fold(%+q) = %+q, and of that %+q", s, fold, display.Fold(fold))
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		out := display.JSON(b)
		var before, after string
		if json.Unmarshal(b, &before) != nil || json.Unmarshal(out, &after) != nil || before != after {
			t.Fatalf("%s became %s", b, out)
		}
		for _, r := range string(out) {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("JSON of %+q holds %U", s, r)
			}
		}
	})
}
