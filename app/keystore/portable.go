package keystore

import "fmt"

// ReadSealed returns a keystore's file as it is, for a backup. It returns fs.ErrNotExist,
// ErrPermissions, or ErrCorrupt for what is none.
func ReadSealed(path string) ([]byte, error) {
	b, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("read keystore: %w", err)
	}
	if len(b) < minFileLen || len(b) > maxFileLen || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("read keystore: %w", ErrCorrupt)
	}
	return b, nil
}

// OpenSealed opens what ReadSealed returned; errors are those of Open.
func OpenSealed(b, pass []byte) (Content, error) {
	c, err := unseal(b, pass, maxWork())
	if err != nil {
		return Content{}, fmt.Errorf("open keystore: %w", err)
	}
	return c, nil
}

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
