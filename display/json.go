package display

import (
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns the same JSON with every character that may not be shown escaped
// as \uXXXX: what a terminal gets is free of control characters and marks of
// direction, and what a program reads is unchanged.
func JSON(b []byte) []byte {
	out := b[:0:0]
	done := 0
	for i := 0; i < len(b); {
		r, size := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(b[i:])
		}
		// The line feed and its like stand between values: within a string they
		// are escaped already.
		if ascii := r < utf8.RuneSelf && r != 0x7f; !ascii && (!printable(r) || selects(r)) {
			out = append(out, b[done:i]...)
			out = escape(out, r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return b
	}
	return append(out, b[done:]...)
}

func escape(b []byte, r rune) []byte {
	if r > 0xffff {
		hi, lo := utf16.EncodeRune(r)
		return escape(escape(b, hi), lo)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}

// Writer passes JSON on as the function JSON makes it. Each Write must be of
// whole values, as json.Encoder and slog.JSONHandler write them.
func Writer(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(b []byte) (int, error) {
	if _, err := j.w.Write(JSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}
