package qr

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A BBQr frame is "B$", the encoding (H hex, 2 base32, Z deflated base32), the
// file type, how many frames there are and which this is (both two digits of
// base 36), and its part of the encoded payload.
const (
	bbqrHeader   = 8
	bbqrMaxParts = 36*36 - 1
)

// bbqrBase32 is base32 without padding.
func bbqrBase32() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

func splitBBQr(letter byte, payload []byte, maxFrame int) ([]string, error) {
	encoding, body := byte('2'), payload
	if small, err := deflate(payload); err != nil {
		return nil, err
	} else if len(small) < len(payload) {
		encoding, body = 'Z', small
	}
	text := bbqrBase32().EncodeToString(body)
	// Each frame but the last ends at a whole byte: 8 letters are 5 bytes.
	room := (maxFrame - bbqrHeader) / 8 * 8
	parts := (len(text) + room - 1) / room
	if parts > bbqrMaxParts {
		return nil, fmt.Errorf("%w: %d frames, at most %d", ErrTooLarge, parts, bbqrMaxParts)
	}
	// Frames of about the same size make codes of the same size.
	size := (len(text) + parts - 1) / parts
	size = (size + 7) / 8 * 8
	var frames []string
	for chunk := range slices.Chunk([]byte(text), size) {
		frames = append(frames, string(chunk))
	}
	for i, chunk := range frames {
		frames[i] = "B$" + string(encoding) + string(letter) + base36(len(frames)) + base36(i) + chunk
	}
	return frames, nil
}

// base36 is two digits.
func base36(n int) string {
	s := strings.ToUpper(strconv.FormatInt(int64(n), 36))
	return strings.Repeat("0", 2-len(s)) + s
}

func parseBase36(s string) (int, error) {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z') {
			return 0, fmt.Errorf("%w: %q is no number of base 36", ErrFrame, s)
		}
	}
	n, err := strconv.ParseInt(s, 36, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no number of base 36", ErrFrame, s)
	}
	return int(n), nil
}

// bbqrJoin collects the frames of one payload.
type bbqrJoin struct {
	head  string // encoding, file type and number of frames
	total int
	parts map[int]string
}

func (b *bbqrJoin) add(text string) error {
	if len(text) <= bbqrHeader {
		return fmt.Errorf("%w: cut short", ErrFrame)
	}
	head, body := text[2:6], text[bbqrHeader:]
	if _, ok := bbqrKind(head[1]); !ok {
		return fmt.Errorf("%w: BBQr of the unknown file type %q", ErrFrame, head[1])
	}
	total, err := parseBase36(text[4:6])
	if err != nil {
		return err
	}
	index, err := parseBase36(text[6:8])
	if err != nil {
		return err
	}
	if total < 1 || index >= total {
		return fmt.Errorf("%w: part %d of %d", ErrFrame, index+1, total)
	}
	last := index == total-1
	if err := checkBBQr(head[0], body, last); err != nil {
		return err
	}
	if b.parts == nil {
		b.head, b.total, b.parts = head, total, map[int]string{}
	}
	if b.head != head {
		return fmt.Errorf("%w: another encoding, file type or number of frames", ErrOtherMessage)
	}
	if have, ok := b.parts[index]; ok && have != body {
		return fmt.Errorf("%w: part %d is another one", ErrOtherMessage, index+1)
	}
	// All but the last have one size, and the last is no larger.
	for i, have := range b.parts {
		otherLast := i == total-1
		if !last && !otherLast && len(have) != len(body) || last && !otherLast && len(have) < len(body) || otherLast && !last && len(have) > len(body) {
			return fmt.Errorf("%w: parts of different sizes", ErrOtherMessage)
		}
	}
	b.parts[index] = body
	return nil
}

// checkBBQr checks that one frame by itself decodes.
func checkBBQr(encoding byte, body string, last bool) error {
	step := 8
	switch encoding {
	case 'H':
		step = 2
		if _, err := hex.DecodeString(body); err != nil {
			return fmt.Errorf("%w: not hex", ErrFrame)
		}
	case '2', 'Z':
		if _, err := bbqrBase32().DecodeString(body); err != nil {
			return fmt.Errorf("%w: not base32", ErrFrame)
		}
	default:
		return fmt.Errorf("%w: BBQr of the unknown encoding %q", ErrFrame, encoding)
	}
	if !last && len(body)%step != 0 {
		return fmt.Errorf("%w: it ends within a byte", ErrFrame)
	}
	return nil
}

func (b *bbqrJoin) payload() ([]byte, Kind, error) {
	var out bytes.Buffer
	for i := range b.total {
		var raw []byte
		var err error
		if b.head[0] == 'H' {
			raw, err = hex.DecodeString(b.parts[i])
		} else {
			raw, err = bbqrBase32().DecodeString(b.parts[i])
		}
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		out.Write(raw)
	}
	raw := out.Bytes()
	if b.head[0] == 'Z' {
		var err error
		if raw, err = inflate(raw); err != nil {
			return nil, "", err
		}
	}
	if len(raw) > MaxPayload {
		return nil, "", fmt.Errorf("%w: %d bytes", ErrTooLarge, len(raw))
	}
	kind, _ := bbqrKind(b.head[1])
	return raw, kind, nil
}
