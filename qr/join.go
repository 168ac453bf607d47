package qr

import (
	"fmt"
	"strings"
)

// Progress says how far a Joiner is.
type Progress struct {
	// Have is how many frames' worth is known, of Need.
	Have, Need int
}

// Joiner puts frames together, in any order, with repeats and gaps. It tells
// BBQr and UR apart by itself. The zero value is ready; one Joiner is for one
// payload and one goroutine.
type Joiner struct {
	bbqr *bbqrJoin
	ur   *urJoin
}

// Add takes one scanned frame. done says that the payload is there. A frame
// that is refused changes nothing: ErrFrame, ErrOtherMessage, ErrTooLarge. When
// the last frame completes a payload that is damaged, that is ErrDamaged, and
// the Joiner begins anew.
func (j *Joiner) Add(frame string) (done bool, p Progress, err error) {
	// QR codes hold capital letters; some readers add blanks or a line's end.
	text := strings.ToUpper(strings.TrimSpace(frame))
	switch {
	case len(text) > MaxFrame:
		err = fmt.Errorf("%w: %d characters", ErrFrame, len(text))
	case strings.HasPrefix(text, "B$"):
		err = j.addBBQr(text)
	case strings.HasPrefix(text, "UR:"):
		err = j.addUR(text)
	default:
		err = fmt.Errorf("%w: it begins neither with B$ (BBQr) nor with UR: (UR)", ErrFrame)
	}
	p = j.Progress()
	if err == nil && p.Need > 0 && p.Have == p.Need {
		if _, _, err = j.Payload(); err != nil {
			*j = Joiner{}
			return false, Progress{}, err
		}
		return true, p, nil
	}
	return false, p, err
}

func (j *Joiner) addBBQr(text string) error {
	if j.ur != nil {
		return fmt.Errorf("%w: a BBQr frame among those of a UR", ErrOtherMessage)
	}
	b := j.bbqr
	if b == nil {
		b = &bbqrJoin{}
	}
	if err := b.add(text); err != nil {
		return err
	}
	j.bbqr = b
	return nil
}

func (j *Joiner) addUR(text string) error {
	if j.bbqr != nil {
		return fmt.Errorf("%w: a UR frame among those of a BBQr", ErrOtherMessage)
	}
	u := j.ur
	if u == nil {
		u = &urJoin{}
	}
	if err := u.add(text); err != nil {
		return err
	}
	j.ur = u
	return nil
}

// Progress says how far the Joiner is.
func (j *Joiner) Progress() Progress {
	switch {
	case j.bbqr != nil:
		return Progress{len(j.bbqr.parts), j.bbqr.total}
	case j.ur != nil:
		return j.ur.progress()
	}
	return Progress{}
}

// Payload returns what was joined and its kind: ErrIncomplete before all is there.
func (j *Joiner) Payload() ([]byte, Kind, error) {
	p := j.Progress()
	if p.Need == 0 || p.Have < p.Need {
		return nil, "", fmt.Errorf("%w: %d of %d are here", ErrIncomplete, p.Have, p.Need)
	}
	if j.bbqr != nil {
		return j.bbqr.payload()
	}
	return j.ur.payload()
}
