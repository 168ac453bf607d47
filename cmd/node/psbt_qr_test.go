package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/qr"
)

func qrLines(t testing.TB, kind qr.Kind, payload []byte) []string {
	t.Helper()
	frames, err := qr.Split(kind, payload, qr.TerminalFrame)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// dense is a payload that does not shrink.
func dense(seed byte, blocks int) (out []byte) {
	for i := range blocks {
		sum := sha256.Sum256([]byte{seed, byte(i)})
		out = append(out, sum[:]...)
	}
	return out
}

func TestJoined(t *testing.T) {
	one, two := dense(1, 60), dense(2, 70)
	for _, kind := range []qr.Kind{qr.BBQrPSBT, qr.URPSBT} {
		a, b := qrLines(t, kind, one), qrLines(t, kind, two)
		if len(a) < 3 || len(b) < 3 {
			t.Fatalf("%d and %d frames", len(a), len(b))
		}
		backwards := "\n " + a[2] + " \r\n"
		for i := len(a) - 1; i >= 0; i-- {
			backwards += a[i] + "\n"
		}
		if got, err := joined([]byte(backwards)); err != nil || !bytes.Equal(got, one) {
			t.Errorf("%s backwards: %d bytes, %v", kind, len(got), err)
		}
		for name, text := range map[string]string{
			"a frame of another":  a[0] + "\n" + b[1] + "\n" + strings.Join(a[1:], "\n"),
			"not all of them":     a[0] + "\n" + a[1],
			"a line that is none": a[0] + "\nhello",
			"too long a line":     a[0] + "\n" + strings.Repeat("A", 3*qr.MaxFrame),
			"too many":            strings.Repeat(a[0]+"\n", maxFrames+1),
		} {
			got, err := joined([]byte(text))
			var e *api.Error
			if !errors.As(err, &e) || e.Code != "bad_qr" || got != nil || strings.Contains(e.Message, "\n") {
				t.Errorf("%s, %s: %d bytes, %v", kind, name, len(got), err)
			}
		}
	}
	if _, err := joined([]byte(strings.Join(qrLines(t, qr.BBQrText, []byte("hello")), "\n"))); err == nil {
		t.Error("a text was taken for a PSBT")
	}
}

// Frames as other encoders write them, with what they hold; and those that are
// refused on purpose.
func TestFramesOfOthers(t *testing.T) {
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "trials", "wallets", "inputs", "qr")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("no inputs of trials: set QUORATE_SHARED to the folder that holds them")
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() == "pMofN.txt" { // the first form of Specter, which no device needs any more
			var e *api.Error
			if _, err := joined(raw); !errors.As(err, &e) || e.Code != "bad_qr" || !strings.Contains(e.Message, "p1of3") {
				t.Errorf("%s: %v", f.Name(), err)
			}
			continue
		}
		marked := append([]byte("\ufeff\""), bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))...)
		for _, text := range [][]byte{raw, append(bytes.TrimSpace(marked), '"')} {
			got, err := joined(text)
			if err != nil || bytes.Equal(got, text) {
				t.Errorf("%s: %v", f.Name(), err)
				continue
			}
			if packet, err := ops.SlimPSBT(got); err != nil || !strings.HasPrefix(packet, "cHNidP8") {
				t.Errorf("%s: %v", f.Name(), err)
			}
		}
	}
}

// What is no frame comes back as it is; anything else is a payload or one error.
func FuzzJoined(f *testing.F) {
	f.Add([]byte("cHNidP8B"))
	for _, kind := range []qr.Kind{qr.BBQrPSBT, qr.URPSBT} {
		f.Add([]byte(strings.Join(qrLines(f, kind, dense(3, 40)), "\n")))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := joined(content)
		var e *api.Error
		if err != nil && (!errors.As(err, &e) || got != nil) {
			t.Errorf("%q %v", got, err)
		}
		if framesOf(content) == "" && !bytes.Equal(got, content) {
			t.Errorf("%q came back as %q", content, got)
		}
	})
}

// The pictures that `psbt export` writes are read back, whatever else lies there.
func TestReadPictures(t *testing.T) {
	want := dense(5, 60)
	for _, kind := range []qr.Kind{qr.BBQrPSBT, qr.URPSBT} {
		dir := t.TempDir()
		put := func(name string, b []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		frames := qrLines(t, kind, want)
		for i, f := range frames {
			b, err := qr.PNG(f, 4)
			if err != nil {
				t.Fatal(err)
			}
			put(fmt.Sprintf("%03d.png", len(frames)-i), b)
		}
		put("notes.txt", []byte("not a picture"))
		var c cli
		if got, err := c.readPSBT(dir); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %d bytes, %v", kind, len(got), err)
		}
		for i := range frames {
			if kind == qr.BBQrPSBT && i > 0 {
				break
			}
			if err := os.Remove(filepath.Join(dir, fmt.Sprintf("%03d.png", i+1))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.readPSBT(dir); err == nil {
			t.Errorf("%v: read without its pictures", kind)
		}
		put("none.png", []byte("\x89PNG\r\n\x1a\nand then"))
		var e *api.Error
		if _, err := c.readPSBT(dir); !errors.As(err, &e) || e.Code != "bad_qr" || !strings.Contains(err.Error(), "none.png") {
			t.Errorf("%v: no picture: %v", kind, err)
		}
	}
}
