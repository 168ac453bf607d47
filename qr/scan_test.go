package qr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"
)

func TestScanPNG(t *testing.T) {
	frames, err := Split(BBQrPSBT, payload(3, 1500), ImageFrame)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		b, err := PNG(f, 6)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ScanPNG(b); got != f || err != nil {
			t.Fatalf("read %q, %v", got, err)
		}
	}
	// In a larger picture, as a screenshot has it.
	b, err := PNG(frames[0], 4)
	if err != nil {
		t.Fatal(err)
	}
	code, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	at := code.Bounds().Add(image.Pt(120, 77))
	shot := image.NewGray(image.Rect(0, 0, at.Max.X+200, at.Max.Y+150))
	draw.Draw(shot, shot.Bounds(), image.NewUniform(color.Gray{Y: 230}), image.Point{}, draw.Src)
	draw.Draw(shot, at, code, code.Bounds().Min, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, shot); err != nil {
		t.Fatal(err)
	}
	if got, err := ScanPNG(out.Bytes()); got != frames[0] || err != nil {
		t.Errorf("of a screenshot: %q, %v", got, err)
	}

	empty := new(bytes.Buffer)
	if err := png.Encode(empty, image.NewGray(image.Rect(0, 0, 50, 50))); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"nothing": nil, "half": b[:len(b)/2], "no code": empty.Bytes(), "a bomb": bomb(b)} {
		if got, err := ScanPNG(b); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if IsPNG([]byte("B$2P")) || !IsPNG(b) {
		t.Error("what a PNG is")
	}
}

// bomb is a PNG that claims 30,000 by 30,000 pixels.
func bomb(b []byte) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], 30_000)
	binary.BigEndian.PutUint32(b[20:], 30_000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// A picture of any bytes gives a text or ErrPicture.
func FuzzScanPNG(f *testing.F) {
	b, err := PNG("B$2P0100ABCDEF", 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bomb(b))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, err := ScanPNG(b); err != nil && (text != "" || !errors.Is(err, ErrPicture)) {
			t.Errorf("%q, %v", text, err)
		}
	})
}
