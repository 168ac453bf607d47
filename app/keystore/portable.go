package keystore

import "fmt"

// Encode returns content as a backup holds it: in plain, to be sealed by
// whoever writes it.
func Encode(c Content) ([]byte, error) {
	b, err := encode(c)
	if err != nil {
		return nil, fmt.Errorf("encode keystore: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote, or returns ErrCorrupt.
func Decode(b []byte) (Content, error) {
	c, err := decode(b)
	if err != nil {
		return Content{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return c, nil
}
