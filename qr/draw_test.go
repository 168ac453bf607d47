package qr

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// scan reads a picture with a decoder that is not of the library which drew it.
func scan(t *testing.T, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetText()
}

// slow leaves a test that looks at very many pictures, and starts no goroutine of ours, to
// the run without the race detector, under which it takes ten times as long.
func slow(t *testing.T) {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	if info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("left to the run without the race detector")
	}
}

// Every way of drawing shows the same code, and an independent reader joins
// the payload from what it sees.
func TestScannedFrames(t *testing.T) {
	slow(t)
	want := payload(7, 2500)
	for _, kind := range []Kind{BBQrPSBT, URPSBT} {
		for _, size := range []int{TerminalFrame, ImageFrame, 2500} {
			frames, err := Split(kind, want, size)
			if err != nil {
				t.Fatal(err)
			}
			var j Joiner
			for _, f := range frames {
				raw, err := PNG(f, 3)
				if err != nil {
					t.Fatal(err)
				}
				img, err := png.Decode(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				seen := scan(t, img)
				for what, got := range map[string]string{
					"PNG": seen, "SVG": scan(t, fromSVG(t, f)),
					"terminal": scan(t, fromText(t, f, true)), "paper": scan(t, fromText(t, f, false)),
				} {
					if got != f {
						t.Fatalf("%s shows %q, not %q", what, got, f)
					}
				}
				if _, _, err := j.Add(seen); err != nil {
					t.Fatal(err)
				}
			}
			if got, _, err := j.Payload(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %d: %v", kind, size, err)
			}
		}
	}
}

// fromModules makes a picture of what is dark.
func fromModules(width, height int, dark func(x, y int) bool) image.Image {
	const scale = 3
	img := image.NewGray(image.Rect(0, 0, width*scale, height*scale))
	for i := range img.Pix {
		if x, y := i%img.Stride/scale, i/img.Stride/scale; !dark(x, y) {
			img.Pix[i] = 255
		}
	}
	return img
}

// fromText looks at half blocks as an eye does.
func fromText(t *testing.T, frame string, terminal bool) image.Image {
	t.Helper()
	draw := Paper
	if terminal {
		draw = Terminal
	}
	text, err := draw(frame)
	if err != nil {
		t.Fatal(err)
	}
	if terminal {
		// White ink on black, whatever the terminal's colours are.
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "\x1b[0;97;40m") || !strings.HasSuffix(line, "\x1b[0m\n") {
				t.Fatalf("colours of %q", line)
			}
		}
		text = strings.NewReplacer("\x1b[0;97;40m", "", "\x1b[0m", "").Replace(text)
	}
	var rows [][]rune
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		rows = append(rows, []rune(line))
	}
	return fromModules(len(rows[0]), 2*len(rows), func(x, y int) bool {
		c := rows[y/2][x]
		ink := c == '█' || c == '▀' && y%2 == 0 || c == '▄' && y%2 == 1
		return ink != terminal
	})
}

// fromSVG draws the one path that the picture has.
func fromSVG(t *testing.T, frame string) image.Image {
	t.Helper()
	text, err := SVG(frame)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		ViewBox string `xml:"viewBox,attr"`
		Path    struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	var size, other int
	if _, err := fmt.Sscanf(doc.ViewBox, "0 0 %d %d", &size, &other); err != nil || size != other {
		t.Fatalf("view box %q: %v", doc.ViewBox, err)
	}
	drawn := map[[2]int]bool{}
	for _, run := range strings.Split(strings.TrimPrefix(doc.Path.D, "M"), "M") {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back {
			t.Fatalf("run %q: %v", run, err)
		}
		for i := range n {
			drawn[[2]int{x + i, y}] = true
		}
	}
	return fromModules(size, size, func(x, y int) bool { return drawn[[2]int{x, y}] })
}

func TestDrawLimits(t *testing.T) {
	if _, err := PNG("A", 0); err == nil {
		t.Error("no pixels")
	}
	if _, err := PNG("A", maxScale+1); err == nil {
		t.Error("too many pixels")
	}
	for name, draw := range map[string]func(string) (string, error){"terminal": Terminal, "paper": Paper, "SVG": SVG} {
		if _, err := draw(strings.Repeat("A", MaxFrame+1)); err == nil {
			t.Errorf("%s: more than a code holds", name)
		}
		if _, err := draw(strings.Repeat("A", MaxFrame)); err != nil {
			t.Errorf("%s: a full code: %v", name, err)
		}
	}
	// The size that is promised for terminals.
	text, err := Terminal(strings.Repeat("A", TerminalFrame))
	if err != nil || strings.Count(text, "\n") != 33 {
		t.Errorf("%d lines, %v", strings.Count(text, "\n"), err)
	}
}
