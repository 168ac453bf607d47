package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// SigCache remembers verified signatures by a digest of (sighash, key,
// signature). It forgets the oldest above its limit. It is safe for concurrent
// use; a nil *SigCache remembers nothing.
type SigCache struct {
	mu    sync.RWMutex
	max   int
	known map[[32]byte]struct{}
	ring  [][32]byte // in order of insertion, from next on once full
	next  int
}

// NewSigCache returns a cache of at most max signatures (about 100 bytes each).
func NewSigCache(max int) *SigCache {
	return &SigCache{max: max, known: make(map[[32]byte]struct{})}
}

// sigDigest names one verified signature. The lengths of hash and key are
// fixed, so the parts cannot run into each other.
func sigDigest(hash *[32]byte, pub, sig []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("quorate/sigcache/v1"))
	h.Write(hash[:])
	h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(pub))))
	h.Write(pub)
	h.Write(sig)
	return [32]byte(h.Sum(nil))
}

func (c *SigCache) has(digest [32]byte) bool {
	if c == nil {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.known[digest]
	return ok
}

func (c *SigCache) add(digest [32]byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(digest)
}

func (c *SigCache) addLocked(digest [32]byte) {
	if _, ok := c.known[digest]; ok || c.max <= 0 {
		return
	}
	if len(c.ring) < c.max {
		c.ring = append(c.ring, digest)
	} else {
		delete(c.known, c.ring[c.next])
		c.ring[c.next] = digest
		c.next = (c.next + 1) % c.max
	}
	c.known[digest] = struct{}{}
}

// Export returns the digests, oldest first, to be kept where nobody else can
// write: whoever adds one can have a signature pass as verified.
func (c *SigCache) Export() [][32]byte {
	if c == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([][32]byte, 0, len(c.ring))
	out = append(out, c.ring[c.next:]...)
	return append(out, c.ring[:c.next]...)
}

// Import adds digests that Export returned.
func (c *SigCache) Import(digests [][32]byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, digest := range digests {
		c.addLocked(digest)
	}
}
