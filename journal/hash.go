package journal

import (
	"crypto/sha256"
	"encoding/binary"
)

// H is the hash of the protocol: SHA-256 over the domain tag
// "quorate/<what>/v1" and the parts, each after its length in bytes as a 64-bit
// big-endian number. What is one of the protocol's own names, never input: no
// tag is the beginning of another one.
func H(what string, parts ...[]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(tag(what)))
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// tag is the domain tag of a use of a hash or a key.
func tag(what string) string { return "quorate/" + what + "/v1" }
