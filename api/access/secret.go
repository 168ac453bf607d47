package access

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// secretPrefix makes a token known as one of ours to whatever looks for secrets in
// files, secretBytes are random, and a checksum over both tells a token that was cut
// off or mistyped from one that was revoked.
const (
	secretPrefix = "qrt_"
	secretBytes  = 32
	sumBytes     = 4
)

var base = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// writeSecret returns the text of a token: the prefix, and in base32 the bytes and the
// CRC-32 of both.
func writeSecret(random [secretBytes]byte) string {
	return secretPrefix + base.EncodeToString(binary.BigEndian.AppendUint32(random[:], checksum(random[:])))
}

func checksum(random []byte) uint32 {
	return crc32.ChecksumIEEE(append([]byte(secretPrefix), random...))
}

// CheckSecret says what is wrong with the text of a token that a node made, nil where
// it may be one. It never repeats any of it.
func CheckSecret(s string) error {
	rest, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return fmt.Errorf("a token begins with %s", secretPrefix)
	}
	b, err := base.DecodeString(rest)
	if err != nil || len(b) != secretBytes+sumBytes || base.EncodeToString(b) != rest {
		return fmt.Errorf("a token is %s and %d characters of a-z and 2-7", secretPrefix, base.EncodedLen(secretBytes+sumBytes))
	}
	if binary.BigEndian.Uint32(b[secretBytes:]) != checksum(b[:secretBytes]) {
		return fmt.Errorf("the token has a character that was mistyped or left out: its checksum does not fit")
	}
	return nil
}

// Digest is what is kept of the text of a token. It is one SHA-256, since what it is of
// is random.
func Digest(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }
