package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// maxPixels bounds a picture that is read: a screenshot of 4,096 by 4,096.
const maxPixels = 1 << 24

// ErrPicture is returned for bytes in which no QR code can be read.
var ErrPicture = errors.New("no QR code can be read in the picture")

// IsPNG says whether bytes begin as those of a PNG.
func IsPNG(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }

// ScanPNG returns the text of the QR code in a PNG of at most 2^24 pixels, or ErrPicture.
func ScanPNG(b []byte) (text string, err error) {
	head, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if int64(head.Width)*int64(head.Height) > maxPixels {
		return "", fmt.Errorf("%w: %d by %d pixels are too many", ErrPicture, head.Width, head.Height)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPicture, err)
	}
	// The reader is handed whatever somebody drew.
	defer func() {
		if r := recover(); r != nil {
			text, err = "", fmt.Errorf("%w: %v", ErrPicture, r)
		}
	}()
	// A code as it was drawn first; then one in a larger picture.
	for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_PURE_BARCODE, gozxing.DecodeHintType_TRY_HARDER} {
		bitmap, e := gozxing.NewBinaryBitmapFromImage(img)
		if e != nil {
			return "", fmt.Errorf("%w: %w", ErrPicture, e)
		}
		got, e := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true})
		if e == nil {
			return got.GetText(), nil
		}
		err = e
	}
	return "", fmt.Errorf("%w: %w", ErrPicture, err)
}
