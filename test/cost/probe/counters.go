package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/coverage"
)

// The counters' own format: see internal/coverage in Go's source. It may change
// with Go's version; then this says so.
const (
	fileHeader    = 32
	segmentHeader = 16
	flavorAt      = 24
	uleb128       = 2
)

var errCounters = errors.New("the coverage counters are not as Go 1.26 writes them")

// visits returns how often blocks of statements were run since the counters were
// cleared, in all packages that are counted.
func visits() (uint64, error) {
	var buf bytes.Buffer
	if err := coverage.WriteCounters(&buf); err != nil {
		return 0, fmt.Errorf("write counters: %w", err)
	}
	b := buf.Bytes()
	if len(b) < fileHeader+segmentHeader || string(b[:4]) != "\x00cwm" || b[flavorAt] != uleb128 {
		return 0, errCounters
	}
	h := b[fileHeader:]
	functions := binary.LittleEndian.Uint64(h)
	skip := uint64(binary.LittleEndian.Uint32(h[8:])) + uint64(binary.LittleEndian.Uint32(h[12:]))
	h = h[segmentHeader:]
	if uint64(len(h)) < skip {
		return 0, errCounters
	}
	h = h[skip:]
	bad := false
	next := func() uint64 {
		v, n := binary.Uvarint(h)
		if n <= 0 {
			bad = true
			return 0
		}
		h = h[n:]
		return v
	}
	var sum uint64
	for range functions {
		n := next()
		next() // package
		next() // function
		for range n {
			sum += next()
			if bad {
				return 0, errCounters
			}
		}
	}
	if bad {
		return 0, errCounters
	}
	return sum, nil
}
