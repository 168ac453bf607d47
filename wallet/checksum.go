package wallet

import (
	"errors"
	"fmt"
	"strings"
)

// ErrChecksum is returned for a descriptor whose checksum is malformed or does
// not match its text.
var ErrChecksum = errors.New("descriptor checksum")

const (
	// checksumInput orders the characters a descriptor may hold so that the
	// likeliest typing errors change the fewest symbols (BIP380).
	checksumInput   = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
	checksumCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumLen     = 8
)

// checksumPolymod is one step of the BCH code of BIP380.
func checksumPolymod(c uint64, value int) uint64 {
	generator := [5]uint64{0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd}
	top := c >> 35
	c = (c&0x7ffffffff)<<5 ^ uint64(value)
	for i, g := range generator {
		if top>>i&1 == 1 {
			c ^= g
		}
	}
	return c
}

// descriptorChecksum returns the eight characters that follow '#' (BIP380), or
// a SyntaxError at the first character that no descriptor may hold.
func descriptorChecksum(s string) (string, error) {
	c := uint64(1)
	group, groupLen := 0, 0
	for i := 0; i < len(s); i++ {
		v := strings.IndexByte(checksumInput, s[i])
		if v < 0 {
			return "", &SyntaxError{"descriptor", i, errors.New("invalid character")}
		}
		c = checksumPolymod(c, v&31)
		group = group*3 + v>>5
		if groupLen++; groupLen == 3 {
			c = checksumPolymod(c, group)
			group, groupLen = 0, 0
		}
	}
	if groupLen > 0 {
		c = checksumPolymod(c, group)
	}
	for range checksumLen {
		c = checksumPolymod(c, 0)
	}
	c ^= 1
	var out [checksumLen]byte
	for i := range out {
		out[i] = checksumCharset[c>>(5*(checksumLen-1-i))&31]
	}
	return string(out[:]), nil
}

// splitChecksum checks and removes the checksum. A text without '#' has none,
// which BIP380 allows.
func splitChecksum(s string) (string, error) {
	body, sum, found := strings.Cut(s, "#")
	want, err := descriptorChecksum(body)
	if err != nil {
		return "", err
	}
	if !found {
		return body, nil
	}
	if len(sum) != checksumLen {
		return "", &SyntaxError{"descriptor", len(body) + 1,
			fmt.Errorf("%w has %d characters, want %d", ErrChecksum, len(sum), checksumLen)}
	}
	if sum != want {
		return "", &SyntaxError{"descriptor", len(body) + 1,
			fmt.Errorf("%w does not match: a character is wrong here or before", ErrChecksum)}
	}
	return body, nil
}

// DescriptorChecksum returns the eight characters that follow '#' after a
// descriptor's text (BIP380), or a *SyntaxError at the first character that no
// descriptor may hold.
func DescriptorChecksum(body string) (string, error) { return descriptorChecksum(body) }

// SplitChecksum returns a descriptor's text without its checksum, which may be
// absent, not wrong: ErrChecksum.
func SplitChecksum(s string) (string, error) { return splitChecksum(s) }
