package keystore

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of Open.
var (
	// ErrPassphrase: the passphrase is not the one it was sealed with.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrPermissions: others may read or write the file.
	ErrPermissions = errors.New("file is accessible to others")
	// ErrCorrupt: the file is not what was written.
	ErrCorrupt = errors.New("file is damaged")
	// ErrNewer: the file is of a newer version of this program.
	ErrNewer = errors.New("file was written by a newer version")
	// ErrWork: the file asks for more work or memory than is sane.
	ErrWork = errors.New("file asks for too much memory or time")
)

// The file, all integers big-endian:
//
//	magic(16) | version u8 | time u32 | memory u32 (KiB) | threads u8 | salt(16) | nonce(24)
//	XChaCha20-Poly1305(key = Argon2id(passphrase, salt), nonce, JSON, AAD = all of the above)
//	SHA-256 of everything before it
//
// The hash at the end tells damage from a wrong passphrase; it authenticates nothing.
const (
	magic      = "quorate-keystore"
	version    = 1
	saltLen    = 16
	headerLen  = len(magic) + 1 + 4 + 4 + 1 + saltLen + chacha20poly1305.NonceSizeX // 66
	minFileLen = headerLen + chacha20poly1305.Overhead + sha256.Size                // 114
	// maxFileLen is far above the 500 bytes that the content takes.
	maxFileLen = 64 << 10
)

// Work is the cost of trying one passphrase.
type Work struct {
	// Time is the number of passes, Memory in KiB, Threads the lanes.
	Time, Memory uint32
	Threads      uint8
}

// DefaultWork takes 64 MiB and about 0.3 s on two cores.
func DefaultWork() Work { return Work{Time: 3, Memory: 64 << 10, Threads: 2} }

// LightWork is for tests: it protects nothing.
func LightWork() Work { return Work{Time: 1, Memory: 64, Threads: 1} }

// maxWork caps what a file may ask for, so that a hostile one cannot take the
// machine's memory: 256 MiB, and 16 passes (about 6 s) at the most.
func maxWork() Work { return Work{Time: 16, Memory: 256 << 10, Threads: 16} }

func (w Work) within(limit Work) bool {
	return w.Time >= 1 && w.Time <= limit.Time && w.Threads >= 1 && w.Threads <= limit.Threads &&
		w.Memory >= 8*uint32(w.Threads) && w.Memory <= limit.Memory
}

func (w Work) key(pass, salt []byte) []byte {
	return argon2.IDKey(pass, salt, w.Time, w.Memory, w.Threads, chacha20poly1305.KeySize)
}

// seal returns the bytes of a keystore file.
func seal(pass []byte, c Content, w Work) ([]byte, error) {
	if !w.within(maxWork()) {
		return nil, ErrWork
	}
	plain, err := encode(c)
	if err != nil {
		return nil, fmt.Errorf("encode keystore: %w", err)
	}
	defer clear(plain)
	b := make([]byte, 0, headerLen+len(plain)+chacha20poly1305.Overhead+sha256.Size)
	b = append(append(b, magic...), version)
	b = binary.BigEndian.AppendUint32(b, w.Time)
	b = binary.BigEndian.AppendUint32(b, w.Memory)
	b = append(b, w.Threads)
	var random [saltLen + chacha20poly1305.NonceSizeX]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("draw salt: %w", err)
	}
	b = append(b, random[:]...)
	key := w.key(pass, random[:saltLen])
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal keystore: %w", err)
	}
	b = aead.Seal(b, random[saltLen:], plain, b)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// unseal is the inverse of seal. It spends no work before the file is whole
// and its cost is within limit.
func unseal(b, pass []byte, limit Work) (Content, error) {
	if len(b) < len(magic)+1 || string(b[:len(magic)]) != magic {
		return Content{}, ErrCorrupt
	}
	if b[len(magic)] > version {
		return Content{}, ErrNewer
	}
	if len(b) < minFileLen || len(b) > maxFileLen || b[len(magic)] != version {
		return Content{}, ErrCorrupt
	}
	b, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if want := sha256.Sum256(b); !bytes.Equal(want[:], sum) {
		return Content{}, ErrCorrupt
	}
	header, box := b[:headerLen], b[headerLen:]
	p := header[len(magic)+1:]
	w := Work{Time: binary.BigEndian.Uint32(p), Memory: binary.BigEndian.Uint32(p[4:]), Threads: p[8]}
	if !w.within(limit) {
		return Content{}, ErrWork
	}
	salt, nonce := p[9:9+saltLen], p[9+saltLen:]
	key := w.key(pass, salt)
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return Content{}, fmt.Errorf("open keystore: %w", err)
	}
	plain, err := aead.Open(nil, nonce, box, header)
	if err != nil {
		return Content{}, ErrPassphrase
	}
	defer clear(plain)
	c, err := decode(plain)
	if err != nil {
		return Content{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return c, nil
}
