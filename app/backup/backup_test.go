package backup

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/quorate/quorate/journal"
)

const lightWork = 2

func items() []Item {
	out := []Item{
		{Kind: Keystore, Value: []byte("seed-of-the-keystore")},
		{Kind: Config, Value: []byte("network = \"regtest\"\n")},
		{Kind: Entry, Group: journal.GroupID{1}, Value: bytes.Repeat([]byte{7}, 500)},
		{Kind: Record, Group: journal.GroupID{1}, Key: "local", Value: []byte("secret-of-epoch-0")},
		{Kind: Record, Key: "group/00", Value: []byte{}},
		{Kind: Guard},
	}
	g := &out[5].Guard
	g.OutPoint.Hash[0], g.OutPoint.Index, g.TxID[31] = 3, 9, 4
	return out
}

func header() Header {
	return Header{Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Name: "ann", Network: "regtest", PeerID: "p"}
}

// plainOf is a stream of some version.
func plainOf(t testing.TB, version int, is []Item) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := newWriter(&b, header(), version)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range is {
		if err := w.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(r io.Reader) ([]Item, error) {
	in, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	var out []Item
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, i)
	}
}

func sealed(t testing.TB, plain []byte, to []age.Recipient) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Seal(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opens(b []byte, identities, pass string) ([]Item, error) {
	r, err := Unseal(bytes.NewReader(b), identities, []byte(pass))
	if err != nil {
		return nil, err
	}
	return readAll(r)
}

func TestRoundTrip(t *testing.T) {
	want := items()
	pass, err := Passphrase([]byte("correct horse"), lightWork)
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := Recipients([]string{other.Recipient().String(), id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	byPass, byKey := sealed(t, plainOf(t, Version, want), pass), sealed(t, plainOf(t, Version, want), keys)
	for name, c := range map[string]struct {
		file       []byte
		identities string
		pass       string
		want       error
	}{
		"passphrase":             {byPass, "", "correct horse", nil},
		"identity":               {byKey, id.String(), "", nil},
		"identities":             {byKey, "# mine\n" + id.String() + "\n", "", nil},
		"wrong passphrase":       {byPass, "", "battery staple", ErrPassphrase},
		"no passphrase":          {byPass, "", "", ErrPassphrase},
		"passphrase for keys":    {byKey, "", "correct horse", ErrNeedsIdentity},
		"identity for a pass":    {byPass, id.String(), "", ErrIdentity},
		"not an identity":        {byKey, "AGE-SECRET-KEY-1BLAH", "", ErrIdentity},
		"something else":         {[]byte("hello"), "", "x", ErrNotBackup},
		"nothing":                {nil, "", "x", ErrNotBackup},
		"an age file, no backup": {sealed(t, []byte("hello, world"), pass), "", "correct horse", ErrCorrupt},
	} {
		got, err := opens(c.file, c.identities, c.pass)
		if c.want != nil {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if err != nil && strings.Contains(err.Error(), "BLAH") {
				t.Errorf("%s: the error shows the secret: %v", name, err)
			}
			continue
		}
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %d items, %v", name, len(got), err)
			continue
		}
		for n := range got {
			if got[n].Kind != want[n].Kind || got[n].Group != want[n].Group || got[n].Key != want[n].Key ||
				!bytes.Equal(got[n].Value, want[n].Value) || !reflect.DeepEqual(got[n].Guard, want[n].Guard) {
				t.Errorf("%s: item %d is %+v, was %+v", name, n, got[n], want[n])
			}
		}
	}
	for _, secret := range []string{"seed-of", "secret-of", "regtest", "group/"} {
		if bytes.Contains(byPass, []byte(secret)) || bytes.Contains(byKey, []byte(secret)) {
			t.Errorf("%q is in the file", secret)
		}
	}
}

// Every cut of the stream, and of the sealed file, is named; so is every
// changed byte.
func TestDamage(t *testing.T) {
	plain := plainOf(t, Version, items())
	for n := range plain {
		if _, err := readAll(bytes.NewReader(plain[:n])); !errors.Is(err, ErrTruncated) {
			t.Fatalf("stream cut at %d of %d: %v", n, len(plain), err)
		}
		b := bytes.Clone(plain)
		b[n] ^= 1
		if _, err := readAll(bytes.NewReader(b)); err == nil {
			t.Fatalf("byte %d changed: no error", n)
		}
	}
	if _, err := readAll(bytes.NewReader(append(bytes.Clone(plain), 0))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a longer stream: %v", err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	big := append(items(), Item{Kind: Entry, Value: bytes.Repeat([]byte{1}, 200<<10)})
	file := sealed(t, plainOf(t, Version, big), []age.Recipient{id.Recipient()})
	for n := 1; n < len(file); n += 997 {
		if _, err := opens(file[:n], id.String(), ""); !errors.Is(err, ErrTruncated) {
			t.Fatalf("file cut at %d of %d: %v", n, len(file), err)
		}
		b := bytes.Clone(file)
		b[n] ^= 1
		if _, err := opens(b, id.String(), ""); err == nil {
			t.Fatalf("byte %d of the file changed: no error", n)
		}
	}
	b := bytes.Clone(file)
	b[len(b)/2] ^= 1
	if _, err := opens(b, id.String(), ""); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte in the middle: %v", err)
	}
}

func TestNewer(t *testing.T) {
	if _, err := readAll(bytes.NewReader(plainOf(t, Version+1, items()))); !errors.Is(err, ErrNewer) {
		t.Errorf("%v", err)
	}
	if _, err := readAll(bytes.NewReader(plainOf(t, 0, items()))); !errors.Is(err, ErrNotBackup) {
		t.Errorf("version 0: %v", err)
	}
	// Older programs read what has nothing that they do not know, and name what has.
	for want, begin := range map[int]func(io.Writer, Header) (*Writer, error){1: NewWriter, 2: NewSealedWriter} {
		var b bytes.Buffer
		w, err := begin(&b, header())
		if err == nil {
			err = w.Add(Item{Kind: SealedKeystore, Value: []byte("closed")})
		}
		if err == nil {
			_, err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		in, err := NewReader(&b)
		if err != nil || in.Header().Version != want {
			t.Errorf("%v: version %d, want %d", err, in.Header().Version, want)
		}
	}
}

// A file that asks for more work than is sane costs none.
func TestWork(t *testing.T) {
	r, err := Passphrase([]byte("p"), lightWork)
	if err != nil {
		t.Fatal(err)
	}
	file := sealed(t, plainOf(t, Version, nil), r)
	head, _, _ := bytes.Cut(file, []byte("\n---"))
	line := bytes.Split(head, []byte("\n"))[1]
	hostile := bytes.Replace(file, line, append(bytes.TrimSuffix(bytes.Clone(line), []byte(" 2")), " 21"...), 1)
	if _, err := opens(hostile, "", "p"); !errors.Is(err, ErrWork) {
		t.Errorf("work factor 21: %v", err)
	}
	if _, err := Passphrase(nil, 0); err == nil {
		t.Error("sealed with an empty passphrase")
	}
}

// FuzzReader reads arbitrary streams: it never panics, and what it takes is
// whole.
func FuzzReader(f *testing.F) {
	plain := plainOf(f, Version, items())
	f.Add(plain)
	f.Add(plain[:len(plain)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		is, err := readAll(bytes.NewReader(b))
		if err != nil {
			for _, named := range []error{ErrNotBackup, ErrNewer, ErrTruncated, ErrCorrupt} {
				if errors.Is(err, named) {
					return
				}
			}
			t.Fatalf("unnamed error %v", err)
		}
		again, err := readAll(bytes.NewReader(plainOf(t, Version, is)))
		if err != nil || len(again) != len(is) {
			t.Fatalf("written again it reads as %d items: %v", len(again), err)
		}
	})
}
