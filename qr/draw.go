package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the width of the light border, in modules (ISO/IEC 18004).
const quiet = 4

// densest is up to how many characters a code is given more redundancy: those of
// the size of TerminalFrame. Beyond
// that they would grow too large for a screen.
const densest = 311

// maxScale bounds the size of pictures: 185 modules of it are 11,840 pixels.
const maxScale = 64

// Matrix returns the modules of a frame's code, true for dark, without a border.
// Any text that fits can be drawn, not only frames.
func Matrix(frame string) ([][]bool, error) {
	level := qr.L
	if len(frame) <= densest {
		level = qr.M
	}
	code, err := qr.Encode(frame, level, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw QR code of %d characters: %w", len(frame), err)
	}
	b := code.Bounds()
	out := make([][]bool, b.Dy())
	for y := range out {
		out[y] = make([]bool, b.Dx())
		for x := range out[y] {
			gray, _, _, _ := code.At(b.Min.X+x, b.Min.Y+y).RGBA()
			out[y][x] = gray == 0
		}
	}
	return out, nil
}

// dark says whether a module is dark; the border is not.
func dark(m [][]bool, x, y int) bool {
	return y >= 0 && y < len(m) && x >= 0 && x < len(m) && m[y][x]
}

// blocks draws two rows of modules in one line of text. ink is what a half of a
// character stands for: dark modules on paper, light ones on a screen.
func blocks(m [][]bool, ink bool, begin, end string) string {
	var b strings.Builder
	for y := -quiet; y < len(m)+quiet; y += 2 {
		b.WriteString(begin)
		for x := -quiet; x < len(m)+quiet; x++ {
			// Below the last row there is nothing, which is not ink on paper.
			top, bottom := dark(m, x, y) == ink, dark(m, x, y+1) == ink
			b.WriteRune([]rune{' ', '▄', '▀', '█'}[bit(top)<<1|bit(bottom)])
		}
		b.WriteString(end + "\n")
	}
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Terminal draws a frame in half blocks, white on black by its own colours, so
// that it can be scanned whatever the colours of the terminal are.
func Terminal(frame string) (string, error) {
	m, err := Matrix(frame)
	if err != nil {
		return "", err
	}
	return blocks(m, false, "\x1b[0;97;40m", "\x1b[0m"), nil
}

// Paper draws a frame in half blocks without colours, black on white.
func Paper(frame string) (string, error) {
	m, err := Matrix(frame)
	if err != nil {
		return "", err
	}
	return blocks(m, true, "", ""), nil
}

// picture draws a frame in two colours, scale pixels a module.
func picture(frame string, scale int) (*image.Paletted, error) {
	if scale < 1 || scale > maxScale {
		return nil, fmt.Errorf("draw QR code: %d pixels a module, want 1 to %d", scale, maxScale)
	}
	m, err := Matrix(frame)
	if err != nil {
		return nil, err
	}
	size := (len(m) + 2*quiet) * scale
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range size {
		for x := range size {
			if dark(m, x/scale-quiet, y/scale-quiet) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	return img, nil
}

// PNG draws a frame, scale pixels a module (1 to 64).
func PNG(frame string, scale int) ([]byte, error) {
	img, err := picture(frame, scale)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("write PNG: %w", err)
	}
	return b.Bytes(), nil
}

// SVG draws a frame, to any size.
func SVG(frame string) (string, error) {
	m, err := Matrix(frame)
	if err != nil {
		return "", err
	}
	size := len(m) + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path d="`, size, size, size, size)
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	b.WriteString("\" fill=\"#000\"/></svg>\n")
	return b.String(), nil
}
