package keystore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func content() Content {
	c := Content{
		Network: "regtest", Mnemonic: "abandon ability able about above absent",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for i := range 32 {
		c.IdentitySeed[i], c.SealingSeed[i], c.DatabaseKey[i] = byte('A'+i), byte('a'+i), byte(200+i)
	}
	return c
}

func TestCreateOpen(t *testing.T) {
	p := filepath.Join(t.TempDir(), "keystore")
	for _, pass := range []string{"correct horse", ""} {
		if err := CreateWith(p, []byte(pass), content(), LightWork()); err != nil {
			t.Fatal(err)
		}
		got, err := Open(p, []byte(pass))
		if err != nil {
			t.Fatal(err)
		}
		if got != content() {
			t.Error("content differs")
		}
		if _, err := Open(p, []byte("wrong")); !errors.Is(err, ErrPassphrase) {
			t.Errorf("wrong passphrase: %v", err)
		}
		fi, err := os.Stat(p)
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("mode %v %v", fi.Mode(), err)
		}
		if err := CreateWith(p, []byte(pass), content(), LightWork()); !errors.Is(err, fs.ErrExist) {
			t.Errorf("overwritten: %v", err)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"abandon", "ABCDEFGH", "abcdefgh"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%q is in the file", secret)
			}
		}
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(p)); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// A mnemonic with a passphrase of its own comes back with it, and stands where a
// version that knows no passphrase finds no mnemonic rather than other keys.
func TestMnemonicPassphrase(t *testing.T) {
	c := content()
	c.MnemonicPassphrase = "TREZOR"
	b, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(b); err != nil || got != c {
		t.Errorf("content differs: %v", err)
	}
	var old struct {
		Mnemonic string `json:"mnemonic"`
	}
	if err := json.Unmarshal(b, &old); err != nil || old.Mnemonic != "" {
		t.Errorf("an older version reads %q, %v", old.Mnemonic, err)
	}
	if b, err = Encode(content()); err != nil || bytes.Contains(b, []byte("passphrase")) {
		t.Errorf("without one the form is another: %s %v", b, err)
	}
	c.Zero()
	if c.Mnemonic+c.MnemonicPassphrase != "" {
		t.Error("a secret is left")
	}
}

// With the work that nodes use; everything else here is light.
func TestDefaultWork(t *testing.T) {
	b, err := seal([]byte("p"), content(), DefaultWork())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := unseal(b, []byte("p"), maxWork()); err != nil || c != content() {
		t.Fatal(err)
	}
}

func TestPermissions(t *testing.T) {
	p := filepath.Join(t.TempDir(), "keystore")
	if err := CreateWith(p, []byte("p"), content(), LightWork()); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]error{0o600: nil, 0o400: nil, 0o640: ErrPermissions, 0o604: ErrPermissions, 0o620: ErrPermissions, 0o601: ErrPermissions} {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(p, []byte("p")); !errors.Is(err, want) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := Open(filepath.Dir(p), nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(p+"x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Every single changed bit and every cut is seen.
func TestDamage(t *testing.T) {
	good, err := seal([]byte("p"), content(), LightWork())
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			want := ErrCorrupt
			if i == len(magic) && b[i] > version {
				want = ErrNewer
			}
			if _, err := unseal(b, []byte("p"), maxWork()); !errors.Is(err, want) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
		if _, err := unseal(good[:i], []byte("p"), maxWork()); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := unseal(append(bytes.Clone(good), 0), []byte("p"), maxWork()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("longer: %v", err)
	}
}

// resum repairs the hash at the end, as somebody who means harm would.
func resum(b []byte) []byte {
	if len(b) < sha256.Size {
		return b
	}
	body := bytes.Clone(b[:len(b)-sha256.Size])
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}

// A changed header with a right hash is still no valid file, and one that asks
// for too much is refused before any work.
func TestHostileFile(t *testing.T) {
	good, err := seal([]byte("p"), content(), LightWork())
	if err != nil {
		t.Fatal(err)
	}
	work := len(magic) + 1
	for name, c := range map[string]struct {
		change func(b []byte)
		want   error
	}{
		"time":       {func(b []byte) { binary.BigEndian.PutUint32(b[work:], 2) }, ErrPassphrase},
		"salt":       {func(b []byte) { b[work+9]++ }, ErrPassphrase},
		"nonce":      {func(b []byte) { b[work+9+saltLen]++ }, ErrPassphrase},
		"box":        {func(b []byte) { b[headerLen]++ }, ErrPassphrase},
		"no time":    {func(b []byte) { binary.BigEndian.PutUint32(b[work:], 0) }, ErrWork},
		"much time":  {func(b []byte) { binary.BigEndian.PutUint32(b[work:], 17) }, ErrWork},
		"no memory":  {func(b []byte) { binary.BigEndian.PutUint32(b[work+4:], 0) }, ErrWork},
		"all memory": {func(b []byte) { binary.BigEndian.PutUint32(b[work+4:], 1<<32-1) }, ErrWork},
		"over":       {func(b []byte) { binary.BigEndian.PutUint32(b[work+4:], 256<<10+1) }, ErrWork},
		"no thread":  {func(b []byte) { b[work+8] = 0 }, ErrWork},
		"threads":    {func(b []byte) { b[work+8] = 17 }, ErrWork},
	} {
		b := bytes.Clone(good)
		c.change(b)
		if _, err := unseal(resum(b), []byte("p"), maxWork()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := seal(nil, content(), Work{Time: 1, Memory: 1 << 30, Threads: 1}); !errors.Is(err, ErrWork) {
		t.Errorf("sealed with too much work: %v", err)
	}
}

func TestRedacted(t *testing.T) {
	c := content()
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "content", c, "pointer", &c, "group", slog.GroupValue(slog.Any("c", c)), "in", struct{ C Content }{c})
	}
	j, err := json.Marshal(map[string]any{"c": c, "p": &c})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(j) + c.LogValue().String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		all += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, struct{ C Content }{c}) + fmt.Sprintf(verb, []Content{c})
	}
	for _, secret := range []string{"abandon", "ABCD", "abcd", "65 66 67", "0x41", "4142", "regtest"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q leaks: %s", secret, all)
		}
	}
	c.Zero()
	if c.Mnemonic != "" || c.IdentitySeed != [32]byte{} || c.SealingSeed != [32]byte{} || c.DatabaseKey != [32]byte{} {
		t.Error("not zeroed")
	}
}

// When it cannot be written, nothing is left behind.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "d")
	if err := os.MkdirAll(filepath.Join(target, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A rename onto a directory that is not empty fails.
	if err := WriteFile(target, []byte("x")); err == nil {
		t.Fatal("renamed over a directory")
	}
	if err := WriteFile(filepath.Join(dir, "missing", "f"), []byte("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// FuzzOpen opens arbitrary bytes, as they are and with the hash repaired, so
// that the checks behind it are reached. It never panics, works within its
// limit, and what it opens is what was sealed.
func FuzzOpen(f *testing.F) {
	good, err := seal([]byte("p"), content(), LightWork())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:headerLen])
	f.Add([]byte(magic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, resum(b)} {
			c, err := unseal(b, []byte("p"), LightWork())
			if err == nil {
				if c != content() || !bytes.Equal(b, good) {
					// Sealing again must give something that opens alike.
					again, err := seal([]byte("p"), c, LightWork())
					if err != nil {
						t.Fatal(err)
					}
					if d, err := unseal(again, []byte("p"), LightWork()); err != nil || d != c {
						t.Fatalf("sealed again it differs: %v", err)
					}
				}
				continue
			}
			if !errors.Is(err, ErrPassphrase) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrWork) {
				t.Fatalf("unnamed error %v", err)
			}
		}
	})
}
