package qr

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
)

// deflateWindow is how far back a BBQr may refer: devices decode it with little memory.
const deflateWindow = 1024

// deflate compresses for a decoder with a window of 1024 bytes. The standard
// library always uses 32 KiB, so each block of 1024 bytes is compressed by
// itself: no reference can lead further back than that.
func deflate(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	blocks := slices.Collect(slices.Chunk(raw, deflateWindow))
	for i, block := range blocks {
		w.Reset(&out)
		if _, err := w.Write(block); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		end := w.Flush // to a whole byte, where the next block begins
		if i == len(blocks)-1 {
			end = w.Close
		}
		if err := end(); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
	}
	return out.Bytes(), nil
}

// inflate undoes it, up to MaxPayload.
func inflate(raw []byte) ([]byte, error) {
	in := bytes.NewReader(raw)
	r := flate.NewReader(in)
	out, err := io.ReadAll(io.LimitReader(r, MaxPayload+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: compressed data is wrong", ErrDamaged)
	case len(out) > MaxPayload:
		return nil, fmt.Errorf("%w: it grows beyond %d bytes", ErrTooLarge, MaxPayload)
	case in.Len() > 0:
		return nil, fmt.Errorf("%w: text after the compressed data", ErrDamaged)
	}
	return out, nil
}
