package coordinator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// given is what a request id stands for that asked for no proposal: a hash of what that
// was, and a number that it was answered with.
type given struct {
	content [32]byte
	number  uint32
}

// small is a request for something else than a proposal: what is asked for, in words.
func small(what ...string) [32]byte {
	var parts [][]byte
	for _, w := range what {
		h := sha256.Sum256([]byte(w))
		parts = append(parts, h[:])
	}
	return journal.H("request", parts...)
}

func (g given) record() []byte { return binary.BigEndian.AppendUint32(g.content[:], g.number) }

func readGiven(b []byte) (given, error) {
	if len(b) != 36 {
		return given{}, fmt.Errorf("read request record: %w", refusal.ErrBadRequest)
	}
	return given{[32]byte(b), binary.BigEndian.Uint32(b[32:])}, nil
}
