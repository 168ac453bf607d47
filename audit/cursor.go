package audit

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/quorate/quorate/journal"
)

// A cursor says of each author where its line is: the beginning of the identity,
// the incarnation and seq of the last entry that was taken, and, where its chains
// are forked, the beginning of that entry's id.
//
//	version, 1 | records in order of their lines:
//	    identity (8) | incarnation, 0 for a line at its end, +128 with an id (1)
//	    seq (uvarint; not at the end) | id (16; with +128)
//
// 128 authors take 128 × (8 + 1 + 10 + 16) bytes at most: 5,976 characters.
const (
	prefixSize    = 8
	idPrefix      = 16
	cursorVersion = 1
	withID        = 128
	// MaxCursor is the most characters of a cursor.
	MaxCursor = (1 + maxAuthors*(prefixSize+1+binary.MaxVarintLen64+idPrefix) + 2) / 3 * 4
)

func prefixOf(a journal.Author) [prefixSize]byte { return [prefixSize]byte(a[:]) }

// cursor says where the lines are; empty where all are at their end.
func (w *walk) cursor() string {
	b, left := []byte{cursorVersion}, false
	for _, l := range w.lines {
		left = left || !l.done
		switch {
		case l.done:
			b = append(append(b, l.author[:prefixSize]...), 0)
		case l.at == place{}:
			// From the start.
		case l.forked:
			b = append(append(b, l.author[:prefixSize]...), l.at.incarnation|withID)
			b = append(binary.AppendUvarint(b, l.at.seq), l.at.id[:idPrefix]...)
		default:
			b = append(append(b, l.author[:prefixSize]...), l.at.incarnation)
			b = binary.AppendUvarint(b, l.at.seq)
		}
	}
	if !left {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readCursor reads what cursor wrote.
func readCursor(text string) (map[[prefixSize]byte]place, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > MaxCursor {
		return nil, ErrCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != cursorVersion {
		return nil, ErrCursor
	}
	out := map[[prefixSize]byte]place{}
	for b = b[1:]; len(b) > 0; {
		if len(b) <= prefixSize {
			return nil, ErrCursor
		}
		who, how := [prefixSize]byte(b), b[prefixSize]
		b = b[prefixSize+1:]
		if _, twice := out[who]; twice {
			return nil, ErrCursor
		}
		if how == 0 {
			out[who] = place{}
			continue
		}
		p := place{incarnation: how &^ withID}
		seq, n := binary.Uvarint(b)
		if n <= 0 || seq < 1 || seq > journal.MaxSeq || p.incarnation < 1 || p.incarnation > journal.MaxIncarnation {
			return nil, ErrCursor
		}
		p.seq, b = seq, b[n:]
		if how&withID != 0 {
			if len(b) < idPrefix {
				return nil, ErrCursor
			}
			copy(p.id[:], b[:idPrefix])
			b = b[idPrefix:]
		}
		out[who] = p
	}
	return out, nil
}
