package journal

import (
	"bytes"
	"errors"
	"testing"
)

func TestBuckets(t *testing.T) {
	for _, tc := range []struct{ event, padded int }{
		{1, 256}, {252, 256}, {253, 1024}, {1020, 1024}, {1021, 4096}, {4092, 4096}, {4093, 16384},
		{16380, 16384}, {16381, 65536}, {65532, 65536}, {65533, 262144}, {MaxEventSize, 262144},
	} {
		event := bytes.Repeat([]byte{7}, tc.event)
		p, err := pad(event, 0)
		if err != nil || len(p) != tc.padded {
			t.Errorf("event of %d: padded to %d, %v; want %d", tc.event, len(p), err, tc.padded)
			continue
		}
		got, err := unpad(p)
		if err != nil || !bytes.Equal(got, event) {
			t.Errorf("event of %d: %d back, %v", tc.event, len(got), err)
		}
	}
	for _, n := range []int{0, MaxEventSize + 1} {
		if _, err := pad(make([]byte, n), 0); !errors.Is(err, ErrEventSize) {
			t.Errorf("event of %d: %v", n, err)
		}
	}
}

func TestUnpadRefuses(t *testing.T) {
	good, err := pad([]byte("event"), 0)
	if err != nil {
		t.Fatal(err)
	}
	larger := make([]byte, 1024)
	copy(larger, good)
	for name, body := range map[string][]byte{
		"no bytes":           {},
		"three bytes":        {0, 0, 0},
		"no bucket":          append(bytes.Clone(good), 0),
		"larger than needed": larger,
		"length zero":        make([]byte, 256),
		"length past end":    changed(good, 3, 253),
		"length of 2^32-1":   changed(changed(changed(changed(good, 0, 255), 1, 255), 2, 255), 3, 255),
		"first zero set":     changed(good, 9, 1),
		"last zero set":      changed(good, 255, 1),
	} {
		if got, err := unpad(body); !errors.Is(err, ErrPadding) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// changed returns a copy of b with one byte replaced.
func changed(b []byte, i int, v byte) []byte {
	b = bytes.Clone(b)
	b[i] = v
	return b
}

// A body that unpads is the one encoding of its event.
func FuzzUnpad(f *testing.F) {
	good, err := pad([]byte("event"), 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(make([]byte, 256))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := unpad(body)
		if err != nil {
			return
		}
		again, err := pad(event, 0)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x unpads to %x, which pads to %x, %v", body, event, again, err)
		}
	})
}
