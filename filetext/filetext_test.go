package filetext_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/quorate/quorate/filetext"
)

func wide(s string, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestText(t *testing.T) {
	const long = "a wallet of Jörg\nand “Ann”, and much more that is plain text\n"
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"as it is":            {[]byte(long), long},
		"a mark":              {[]byte("\ufeff" + long), long},
		"Windows":             {[]byte(strings.ReplaceAll(long, "\n", "\r\n")), long},
		"Mac":                 {[]byte(strings.ReplaceAll(long, "\n", "\r")), long},
		"UTF-16":              {wide(long, binary.LittleEndian, true), long},
		"the other":           {wide(long, binary.BigEndian, true), long},
		"no mark":             {wide("cHNidP8B", binary.LittleEndian, false), "cHNidP8B"},
		"the other, no mark":  {wide("cHNidP8B", binary.BigEndian, false), "cHNidP8B"},
		"a byte too many":     {append(wide(long, binary.LittleEndian, true), '\n'), long},
		"ANSI":                {[]byte("a wallet of J\xf6rg\nand \x93Ann\x94, and much more that is plain text\n"), long},
		"control Z":           {[]byte("abc\x1a"), "abc"},
		"padded":              {[]byte("abc\x00\x00"), "abc"},
		"empty":               {nil, ""},
		"of no width, kept":   {[]byte("a\u200db\u00a0c"), "a\u200db\u00a0c"},
		"UTF-16 beyond ASCII": {wide("\U0001f512 safe", binary.LittleEndian, true), "\U0001f512 safe"},
	} {
		if got, ok := filetext.Text(c.raw); !ok || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, c.want)
		}
	}
	for name, raw := range map[string][]byte{
		"a PSBT": []byte("psbt\xff\x01\x00\xa6\x02"), "zeros": []byte("ab\x00\x00\x00cd"), "bytes": {0x80, 0xfe, 0x81, 0xff, 0x90},
	} {
		if got, ok := filetext.Text(raw); ok {
			t.Errorf("%s is taken for %q", name, got)
		}
	}
}

func TestPlainAndUnwrap(t *testing.T) {
	long := strings.Repeat("0123456789", 7)
	for name, c := range map[string]struct{ give, want string }{
		"apostrophes":      {"48\u2019/1\u2032/0\u02bc", "48'/1'/0'"},
		"quotes":           {"\u201cabc\u201d", "abc"},
		"quotes in quotes": {"'\"abc\"'", "abc"},
		"spaces":           {"a\u00a0b\u2009c\u3000d", "a b c d"},
		"no width":         {"a\u200bb\ufeffc\u2060d\u00ade\u200ef", "abcdef"},
		"lines":            {"a\u2028b\vc\u0085d", "a\nb\nc\nd"},
		"dashes":           {"a\u2013b\u2014c\u2212d", "a-b-c-d"},
		"colors":           {"\x1b[1;32mabc\x1b[0m", "abc"},
		"HTML":             {"a&lt;0;1&gt;&#39;&nbsp;b", "a<0;1>' b"},
		"HTML of a name":   {"Ann & Bob &c", "Ann & Bob &c"},
		"a fence":          {"```text\nabc\n```", "abc"},
		"ticks":            {"`abc`", "abc"},
		"a shell":          {"abc\\\ndef", "abc\ndef"},
		"a mail":           {"> abc\n> def", "abc\ndef"},
		"a mail in a mail": {">> abc\n> > def\n>", "abc\ndef"},
		"an answer":        {"Bob wrote:\n> abc\n> def\n\nThanks\nAnn", "abc\ndef"},
		"a wrapped end":    {"wsh(a/<0;1\n>/*,b)", "wsh(a/<0;1\n>/*,b)"},
		"quoted-printable": {long + "=\n0=3D1=\n2", long + "0=12"},
		"a name that ends": {"Name: =\nPolicy", "Name: =\nPolicy"},
		"an apostrophe":    {"'tis mine", "'tis mine"},
	} {
		if got := filetext.Unwrap(c.give); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// wrap breaks a text after so many bytes.
func wrap(s string, n int, end string) string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return strings.Join(append(out, s), end)
}

// One value, in whatever a shell, a mail program or a tool makes of it.
func TestFind(t *testing.T) {
	value := []byte("val\xff")
	for i := range 200 {
		value = append(value, byte(i*i+7*i))
	}
	other := append(bytes.Clone(value), 1)
	value = append(value, 0)
	is := func(raw []byte) bool { return bytes.Equal(raw, value) || bytes.Equal(raw, other) }
	b64, hexed := base64.StdEncoding.EncodeToString(value), hex.EncodeToString(value)
	starts := []string{b64[:4], hexed[:8]}
	object, err := json.Marshal(map[string]any{"complete": false, "psbt": b64})
	if err != nil {
		t.Fatal(err)
	}
	latin := make([]rune, len(value))
	for i, b := range value {
		latin[i] = rune(b)
	}
	forms := map[string]string{
		"binary":           string(value),
		"binary, line end": string(value) + "\r\n",
		"binary, mark":     "\ufeff" + string(value),
		"binary as UTF-8":  string(latin),
		"base64":           b64,
		"no padding":       strings.TrimRight(b64, "="),
		"URL":              base64.URLEncoding.EncodeToString(value),
		"hex":              hexed, "HEX": strings.ToUpper(hexed), "0x": "0x" + hexed, "bytea": `\x` + hexed,
		"hex in groups": wrap(hexed, 4, " "), "hex in lines": wrap(hexed, 60, "\n"),
		"lines":            wrap(b64, 64, "\n"),
		"lines of Windows": wrap(b64, 76, "\r\n") + "\r\n",
		"tabs":             "\t" + wrap(b64, 30, "\n\t"),
		"quoted":           `"` + b64 + `"`, "quoted otherwise": "'" + b64 + "'\n", "in a code": "`" + b64 + "`",
		"slanted":          "\u201c" + b64 + "\u201d",
		"a fence":          "```\n" + b64 + "\n```",
		"a mail":           "> " + wrap(b64, 70, "\n> "),
		"an answer":        "On Monday, Ann wrote:\n\n> " + wrap(b64, 70, "\n> ") + "\n\nThank you\n-- \nBob",
		"with a signature": "Hello Bob,\n\n" + wrap(b64, 72, "\n") + "\n\nKind regards\nAnn",
		"soft line breaks": wrap(strings.ReplaceAll(b64, "=", "=3D"), 75, "=\r\n"),
		"no break":         wrap(b64, 40, "\u00a0"), "no width": wrap(b64, 10, "\u200b"), "soft hyphens": wrap(b64, 50, "\u00ad"),
		"a label": "psbt: " + b64, "a variable": "PSBT=" + b64 + "\n", "a command": "bitcoin-cli decodepsbt \"" + b64 + "\"",
		"a label, wrapped": "Signed PSBT:\n" + wrap(b64, 64, "\n"),
		"a label before":   "signed psbt " + wrap(b64, 64, "\n"),
		"JSON":             string(object), "pretty JSON": strings.ReplaceAll(string(object), ",", ",\n  "),
		"JSON in JSON":   `{"result":` + string(object) + `,"error":null}`,
		"a JSON list":    "[" + string(object) + "]",
		"a JSON text":    `"` + b64 + `"`,
		"JSON of PHP":    strings.ReplaceAll(string(object), "/", `\/`),
		"JSON of Java":   strings.NewReplacer("=", `\u003d`, "+", `\u002b`).Replace(string(object)),
		"broken JSON":    `{"psbt":"` + b64 + `",`,
		"a link":         "data:application/octet-stream;base64," + b64,
		"a link, coded":  "https://example.org/?psbt=" + url.QueryEscape(b64),
		"armor":          "-----BEGIN PSBT-----\n" + wrap(b64, 64, "\n") + "\n-----END PSBT-----\n",
		"MIME":           "--x1\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" + wrap(b64, 76, "\n") + "\n--x1--\n",
		"a shell's text": "b'" + b64 + "'", "with \\n": `"` + wrap(b64, 64, `\n`) + `"`, "goes on": wrap(b64, 64, "\\\n"),
		"padded lines":   wrap(b64, 57, "\n") + "\nand then\n",
		"armor in lines": "-----BEGIN-----\nname of 42\n" + b64 + "\n-----END-----\n",
		"twice the same": b64 + "\n\n" + hexed,
	}
	for name, text := range forms {
		encodings := map[string][]byte{"": []byte(text)}
		if !strings.Contains(name, "binary") {
			encodings["UTF-16 of "] = wide(text, binary.LittleEndian, true)
			encodings["marked "] = append([]byte("\ufeff"), text...)
		}
		for how, raw := range encodings {
			got, err := filetext.Find(raw, starts, is)
			if err != nil || !bytes.Equal(got, value) {
				t.Errorf("%s%s: %v\n%q", how, name, err, text[:min(len(text), 120)])
			}
		}
	}
	for name, text := range map[string]string{"two lines": b64 + "\n" + base64.StdEncoding.EncodeToString(other), "two strings": fmt.Sprintf(`[%q,%q]`, b64, hex.EncodeToString(other))} {
		if got, err := filetext.Find([]byte(text), starts, is); !errors.Is(err, filetext.ErrSeveral) || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"nothing": "", "prose": "Hello Bob, this is no value", "cut": b64[:100], "bytes": "\x00\xff\xfe"} {
		if _, err := filetext.Find([]byte(text), starts, is); !errors.Is(err, filetext.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the bytes are, nothing panics, and what is text stays valid.
func FuzzFind(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00b\x00"), "cHNi")
	f.Add([]byte(`{"a":["cHNidP8BAAAAAAAAAAAAAAAA"]}`), "")
	f.Add([]byte("x wrote:\n> cHNidP8BAAAA\n> BBBBBBBBBBBBBB=3D\n\n-- \nx"), "cHNidP")
	f.Add([]byte(strings.Repeat("A", 70)+"=\n&#39;&lt;\\\n```\n"), "a0")
	f.Fuzz(func(t *testing.T, raw []byte, start string) {
		var starts []string
		if start != "" {
			starts = []string{start}
		}
		if text, ok := filetext.Text(raw); ok {
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\x00") {
				t.Fatalf("%q is read as %q", raw, text)
			}
			if s := filetext.Unwrap(text); !utf8.ValidString(s) || len(s) > 4*len(text)+8 {
				t.Fatalf("%q is unwrapped to %q", text, s)
			}
		}
		got, err := filetext.Find(raw, starts, func(b []byte) bool { return len(b) > 20 && b[0] == 'p' })
		if (err == nil) != (got != nil) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}
