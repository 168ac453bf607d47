package main

import (
	"image"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/quorate/quorate/api/apitest"
)

const whiteOnBlack = "\x1b[0;97;40m"

// seen reads a QR code in half blocks off a screen, as a camera does.
func seen(t *testing.T, shown string) string {
	t.Helper()
	var rows [][]rune
	for line := range strings.Lines(strings.NewReplacer(whiteOnBlack, "", "\x1b[0m", "").Replace(shown)) {
		if line = strings.TrimRight(line, "\r\n"); strings.ContainsAny(line, "▄▀█") {
			rows = append(rows, []rune(line))
		}
	}
	if len(rows) == 0 || len(rows[0]) > columns {
		t.Fatalf("no code that fits is shown in:\n%s", shown)
	}
	const scale = 3
	img := image.NewGray(image.Rect(0, 0, len(rows[0])*scale, 2*len(rows)*scale))
	for i := range img.Pix {
		x, y := i%img.Stride/scale, i/img.Stride/scale
		half := "▀█" // what is light above
		if y%2 == 1 {
			half = "▄█"
		}
		if row := rows[y/2]; x < len(row) && strings.ContainsRune(half, row[x]) {
			img.Pix[i] = 255
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, shown)
	}
	return got.GetText()
}

// What a terminal draws is what it writes, in the colours in which a phone reads it, and
// fits its width.
func TestCodesOnATerminal(t *testing.T) {
	environ := []string{"QUORATE_DATA_DIR=" + serveFake(t, apitest.New())}
	for _, x := range []struct {
		args []string
		want func(written string) string
	}{
		{[]string{"address", "family", "--qr"}, func(w string) string { return uriScheme + w }},
		{[]string{"address", "family", "--qr", "--amount", "0.001", "--label", "rent & more"}, func(w string) string { return w }},
	} {
		s := onTerminal(t, environ, x.args...)
		s.ends(0)
		for line := range strings.Lines(s.raw()) {
			if strings.ContainsAny(line, "▄▀█") && !strings.Contains(line, whiteOnBlack) {
				t.Errorf("%q is not white on black", line)
			}
		}
		text := s.raw()
		written, _, _ := strings.Cut(text, "\n")
		if got, want := seen(t, text), x.want(strings.TrimSpace(written)); got != want {
			t.Errorf("%v shows %q, and %q is written", x.args, got, want)
		}
	}
}
