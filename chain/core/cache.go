package core

import "github.com/btcsuite/btcd/chainhash/v2"

const (
	maxHeaders = 20_000 // about 150 bytes each: 3 MB
	maxBlocks  = 8      // decoded; up to 20 MB each on the main network
	maxFilters = 1_000  // only their headers, 32 bytes each
)

// cache holds things by block hash, the oldest leave first.
type cache[V any] struct {
	most int
	by   map[chainhash.Hash]V
	fifo []chainhash.Hash
}

func newCache[V any](most int) cache[V] {
	return cache[V]{most: most, by: map[chainhash.Hash]V{}}
}

func (c *cache[V]) put(hash chainhash.Hash, v V) {
	if _, ok := c.by[hash]; ok {
		return
	}
	if len(c.fifo) >= c.most {
		delete(c.by, c.fifo[0])
		c.fifo = c.fifo[1:]
	}
	c.by[hash] = v
	c.fifo = append(c.fifo, hash)
}
