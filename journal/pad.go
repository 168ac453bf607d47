package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The plaintext of a body is padded to one of six sizes, so that its length
// tells little:
//
//	length of the event (u32, big-endian) | event | zeros
//
// The smallest size that holds it is the only one allowed, so that an event has
// one encoding. The sizes are 256 B, 1, 4, 16, 64 and 256 KiB.
const (
	smallestBucket = 256
	bucketFactor   = 4
	largestBucket  = 256 << 10
	padHeaderSize  = 4
)

// MaxEventSize is the largest event in bytes: the largest bucket (262,144)
// less the length in front (4).
const MaxEventSize = largestBucket - padHeaderSize

// ErrEventSize is returned when an event is empty or larger than MaxEventSize.
var ErrEventSize = errors.New("event is empty or over the size limit")

// ErrPadding is returned when a body is not padded in the one way allowed.
var ErrPadding = errors.New("body is not padded as the protocol says")

// pad returns the padded form of an event, with room for extra more bytes.
func pad(event []byte, extra int) ([]byte, error) {
	if len(event) == 0 || len(event) > MaxEventSize {
		return nil, fmt.Errorf("pad event of %d bytes: %w", len(event), ErrEventSize)
	}
	size := bucketFor(padHeaderSize + len(event))
	out := make([]byte, size, size+extra)
	binary.BigEndian.PutUint32(out, uint32(len(event)))
	copy(out[padHeaderSize:], event)
	return out, nil
}

// unpad returns the event in a padded body. It shares the body's memory.
func unpad(body []byte) ([]byte, error) {
	if !isBucket(len(body)) {
		return nil, fmt.Errorf("%w: %d bytes", ErrPadding, len(body))
	}
	n := int(binary.BigEndian.Uint32(body))
	if n == 0 || n > len(body)-padHeaderSize {
		return nil, fmt.Errorf("%w: length %d in %d bytes", ErrPadding, n, len(body))
	}
	end := padHeaderSize + n
	if bucketFor(end) != len(body) {
		return nil, fmt.Errorf("%w: %d bytes where %d hold it", ErrPadding, len(body), bucketFor(end))
	}
	for _, b := range body[end:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: not zeros", ErrPadding)
		}
	}
	return body[padHeaderSize:end:end], nil
}

// bucketFor returns the smallest bucket that holds n bytes, or 0 if none does.
func bucketFor(n int) int {
	for b := smallestBucket; b <= largestBucket; b *= bucketFactor {
		if n <= b {
			return b
		}
	}
	return 0
}

func isBucket(n int) bool { return n > 0 && bucketFor(n) == n }
