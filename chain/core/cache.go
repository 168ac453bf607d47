package core

import "github.com/btcsuite/btcd/chainhash/v2"

const (
	maxHeaders = 20_000 // about 150 bytes each: 3 MB
	// blockBytes bounds the blocks that are kept, as they are held decoded. One is
	// kept in any case: at most 32 MB.
	blockBytes = 64 << 20
	maxFilters = 1_000 // only their headers, 32 bytes each
)

// cache holds things by block hash, the oldest leave first.
type cache[V any] struct {
	most int // of all sizes
	size int
	by   map[chainhash.Hash]V
	fifo []sized
}

type sized struct {
	hash chainhash.Hash
	size int
}

func newCache[V any](most int) cache[V] {
	return cache[V]{most: most, by: map[chainhash.Hash]V{}}
}

func (c *cache[V]) put(hash chainhash.Hash, v V, size int) {
	if _, ok := c.by[hash]; ok {
		return
	}
	c.size += size
	for len(c.fifo) > 0 && c.size > c.most {
		c.size -= c.fifo[0].size
		delete(c.by, c.fifo[0].hash)
		c.fifo = c.fifo[1:]
	}
	c.by[hash] = v
	c.fifo = append(c.fifo, sized{hash, size})
}
