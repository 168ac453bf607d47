package qr

import (
	"errors"
	"fmt"
)

// Kind says what a payload is and how it is split.
type Kind string

// The kinds.
const (
	// BBQrPSBT is a PSBT as BBQr (Coldcard and others).
	BBQrPSBT Kind = "bbqr-psbt"
	// BBQrTransaction is a raw transaction as BBQr.
	BBQrTransaction Kind = "bbqr-transaction"
	// BBQrJSON and BBQrText are texts as BBQr.
	BBQrJSON Kind = "bbqr-json"
	BBQrText Kind = "bbqr-text"
	// BBQrBinary are bytes of no kind that BBQr names.
	BBQrBinary Kind = "bbqr-binary"
	// URPSBT is a PSBT as UR, crypto-psbt (Sparrow, Passport, Keystone and others).
	URPSBT Kind = "ur-psbt"
	// URBytes are any bytes as UR.
	URBytes Kind = "ur-bytes"
)

// Frame sizes in characters for which a code has a convenient size.
const (
	// TerminalFrame gives codes of 65 columns and 33 lines.
	TerminalFrame = 395
	// ImageFrame gives codes of 109 modules.
	ImageFrame = 1091
	// MaxFrame is what the largest code holds.
	MaxFrame = 4296
)

// MaxPayload is the most that Split takes and a Joiner gives, in bytes.
const MaxPayload = 4 << 20

var (
	// ErrFrame is returned for a text that is no frame of BBQr or UR, or breaks its rules.
	ErrFrame = errors.New("malformed QR frame")
	// ErrOtherMessage is returned for a frame that belongs to another payload
	// than the frames before it.
	ErrOtherMessage = errors.New("QR frame of another message")
	// ErrTooLarge is returned for a payload above MaxPayload, or one that needs
	// more frames than there can be.
	ErrTooLarge = errors.New("too large for QR frames")
	// ErrIncomplete is returned where frames are missing.
	ErrIncomplete = errors.New("QR frames are missing")
	// ErrDamaged is returned where all frames are there, and do not make a payload.
	ErrDamaged = errors.New("QR frames do not make a payload")
)

// Split returns the frames of a payload, each of at most maxFrame characters
// (80 to MaxFrame), all of them in the alphabet for which QR codes are smallest.
// One that fits into one frame gives one. Of a UR there are twice as many
// frames as are needed: any that are lost are made up for by later ones.
// Errors: ErrTooLarge, or an unknown kind.
func Split(kind Kind, payload []byte, maxFrame int) ([]string, error) {
	if maxFrame < minFrame || maxFrame > MaxFrame {
		return nil, fmt.Errorf("split for QR: frames of %d characters, want %d to %d", maxFrame, minFrame, MaxFrame)
	}
	if len(payload) == 0 {
		return nil, errors.New("split for QR: nothing to split")
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("split for QR: %w: %d bytes", ErrTooLarge, len(payload))
	}
	var frames []string
	var err error
	if letter := bbqrLetter(kind); letter != 0 {
		frames, err = splitBBQr(letter, payload, maxFrame)
	} else if name := urType(kind); name != "" {
		frames, err = splitUR(name, payload, maxFrame)
	} else {
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("split for QR: %w", err)
	}
	return frames, nil
}

// minFrame leaves room for the header of a UR part and a few bytes.
const minFrame = 80

// bbqrLetter is the file type of a kind in BBQr, 0 for those of UR.
func bbqrLetter(k Kind) byte {
	switch k {
	case BBQrPSBT:
		return 'P'
	case BBQrTransaction:
		return 'T'
	case BBQrJSON:
		return 'J'
	case BBQrText:
		return 'U'
	case BBQrBinary:
		return 'B'
	}
	return 0
}

// bbqrKind is the other way of bbqrLetter.
func bbqrKind(letter byte) (Kind, bool) {
	for _, k := range []Kind{BBQrPSBT, BBQrTransaction, BBQrJSON, BBQrText, BBQrBinary} {
		if bbqrLetter(k) == letter {
			return k, true
		}
	}
	return "", false
}

// urType is the type of a kind in UR, empty for those of BBQr.
func urType(k Kind) string {
	switch k {
	case URPSBT:
		return "crypto-psbt"
	case URBytes:
		return "bytes"
	}
	return ""
}

// urKind is the other way of urType. The registry has renamed crypto-psbt to psbt.
func urKind(name string) (Kind, bool) {
	switch name {
	case "crypto-psbt", "psbt":
		return URPSBT, true
	case "bytes":
		return URBytes, true
	}
	return "", false
}
