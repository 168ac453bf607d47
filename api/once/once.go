// Package once keeps what requests were answered, so that one that is sent again is done
// once and gets the same answer (the Idempotency-Key header, draft-ietf-httpapi-idempotency-key-header).
// It knows nothing of HTTP but a status and a body.
package once

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quorate/quorate/api/kept"
)

// Limits of what is kept.
const (
	// Keep is for how long a key stands for its request.
	Keep = 24 * time.Hour
	// MaxKeys is for how many keys of one caller at once, and maxAll for how many in all.
	MaxKeys = 5_000
	maxAll  = 100_000
	// MaxBody is how large an answer is kept, and maxBodies how much all of one caller
	// hold; of what is beyond it is kept that it was done.
	MaxBody   = 64 << 10
	maxBodies = 4 << 20
	// dropEach is how many old keys are dropped with a new one.
	dropEach = 256
)

// What may be wrong with a key.
var (
	// ErrMismatch is for a key that stands for another request.
	ErrMismatch = errors.New("the key was used for another request")
	// ErrRunning is for a key whose request is being done.
	ErrRunning = errors.New("the request is being done")
	// ErrFull is for a key beyond MaxKeys.
	ErrFull = fmt.Errorf("%d keys of this caller are kept already", MaxKeys)
)

// Answer is what a request was answered.
type Answer struct {
	Status int
	// Body is nil where it is not kept: it held a secret, or was too large.
	Body []byte
}

// state is what memory has of a key.
type state struct {
	at      int64 // Unix seconds
	content [32]byte
	done    bool
	size    int
}

// Book has the keys. It is safe for concurrent use.
type Book struct {
	store kept.Store
	now   func() time.Time

	mu      sync.Mutex
	keys    map[string]state
	order   []string // by when they came
	running map[string]bool
	of      map[string]share // by caller
}

// share is what is kept of one caller.
type share struct{ keys, bodies int }

// callerIn is the part of the name of a key that says whose it is.
func callerIn(id string) string { return id[:min(len(id), 16)] }

func (b *Book) count(id string, keys, bodies int) {
	s := b.of[callerIn(id)]
	s.keys, s.bodies = s.keys+keys, s.bodies+bodies
	if b.of[callerIn(id)] = s; s == (share{}) {
		delete(b.of, callerIn(id))
	}
}

// Open reads what a store has. What cannot be read is dropped: it is as if it had never
// been answered.
func Open(ctx context.Context, s kept.Store, now func() time.Time) (*Book, error) {
	recs, err := s.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load answers: %w", err)
	}
	b := &Book{store: s, now: now, keys: map[string]state{}, running: map[string]bool{}, of: map[string]share{}}
	var bad []string
	for id, raw := range recs {
		k, _, err := parse(raw)
		if err != nil {
			bad = append(bad, id)
			continue
		}
		b.keys[id] = k
		b.count(id, 1, k.size)
		b.order = append(b.order, id)
	}
	slices.SortFunc(b.order, func(x, y string) int { return int(min(1, max(-1, b.keys[x].at-b.keys[y].at))) })
	if len(bad) > 0 {
		if err := s.Save(ctx, nil, bad); err != nil {
			return nil, fmt.Errorf("drop answers: %w", err)
		}
	}
	return b, nil
}

// A record is when it came(8), a hash of the request(32), the status(2), 0 while it is not
// answered, whether there is a body(1), and that.
const headSize = 8 + 32 + 2 + 1

var errRecord = errors.New("not a record of an answer")

func (k state) record(a Answer) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(k.at))
	b = binary.BigEndian.AppendUint16(append(b, k.content[:]...), uint16(a.Status))
	if a.Body == nil {
		return append(b, 0)
	}
	return append(append(b, 1), a.Body...)
}

func parse(b []byte) (state, Answer, error) {
	if len(b) < headSize || b[headSize-1] > 1 || b[headSize-1] == 0 && len(b) > headSize || len(b) > headSize+MaxBody {
		return state{}, Answer{}, errRecord
	}
	k := state{at: int64(binary.BigEndian.Uint64(b)), content: [32]byte(b[8:])}
	a := Answer{Status: int(binary.BigEndian.Uint16(b[40:]))}
	if a.Status != 0 && (a.Status < 200 || a.Status > 299) || a.Status == 0 && b[headSize-1] == 1 || k.at < 0 {
		return state{}, Answer{}, errRecord
	}
	if b[headSize-1] == 1 {
		a.Body = bytes.Clone(b[headSize:])
	}
	k.done, k.size = a.Status != 0, len(a.Body)
	return k, a, nil
}

// Content is a hash of what is asked for.
func Content(parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// ID is the name of a key that a caller gave: no two callers share one.
func ID(caller, key string) string {
	who, h := Content([]byte(caller)), Content([]byte(caller), []byte(key))
	return hex.EncodeToString(who[:8]) + hex.EncodeToString(h[:16])
}

// Begin says that a request is about to be done, durably. It returns the answer where it
// was done before, and ErrMismatch, ErrRunning or ErrFull. Where it returns nil and no
// error the request is to be done, and End to be called: it is new, or a crash left it
// unanswered, and then it may have been done.
func (b *Book) Begin(ctx context.Context, id string, content [32]byte) (*Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	k, ok := b.keys[id]
	switch {
	case ok && b.old(k, now) && !b.running[id]:
		// Its time is over: it is another request.
	case ok && k.content != content:
		return nil, ErrMismatch
	case b.running[id]:
		return nil, ErrRunning
	case ok && k.done:
		return b.answer(ctx, id)
	case ok:
		b.running[id] = true
		return nil, nil
	}
	drop := b.over(now)
	mine := b.of[callerIn(id)].keys
	for _, x := range drop {
		if callerIn(x) == callerIn(id) {
			mine--
		}
	}
	if _, again := b.keys[id]; !again && (mine >= MaxKeys || len(b.keys)-len(drop) >= maxAll) {
		return nil, ErrFull
	}
	drop = slices.DeleteFunc(drop, func(x string) bool { return x == id })
	k = state{at: now.Unix(), content: content}
	if err := b.store.Save(ctx, map[string][]byte{id: k.record(Answer{})}, drop); err != nil {
		return nil, fmt.Errorf("note a request: %w", err)
	}
	b.forget(append(drop, id)...)
	b.keys[id], b.running[id] = k, true
	b.count(id, 1, 0)
	b.order = append(b.order, id)
	return nil, nil
}

func (b *Book) old(k state, now time.Time) bool { return !time.Unix(k.at, 0).Add(Keep).After(now) }

// over returns the oldest keys whose time is over, dropEach at most.
func (b *Book) over(now time.Time) (out []string) {
	for _, id := range b.order {
		if len(out) == dropEach || !b.old(b.keys[id], now) {
			break
		}
		if !b.running[id] {
			out = append(out, id)
		}
	}
	return out
}

func (b *Book) forget(ids ...string) {
	before := len(b.keys)
	for _, id := range ids {
		if k, ok := b.keys[id]; ok {
			b.count(id, -1, -k.size)
			delete(b.keys, id)
		}
	}
	if len(b.keys) == before {
		return
	}
	b.order = slices.DeleteFunc(b.order, func(id string) bool { _, ok := b.keys[id]; return !ok })
}

func (b *Book) answer(ctx context.Context, id string) (*Answer, error) {
	raw, err := b.store.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	_, a, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	return &a, nil
}

// End says how a request that Begin let go on ended. With an answer of 2xx it is kept;
// with nothing it was refused and changed nothing, and the key is free again; unknown
// leaves it so that it is done again where it is asked for again.
func (b *Book) End(ctx context.Context, id string, a Answer, unknown bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, id)
	k, ok := b.keys[id]
	if !ok || unknown {
		return nil
	}
	if a.Status < 200 || a.Status > 299 {
		if err := b.store.Save(ctx, nil, []string{id}); err != nil {
			return fmt.Errorf("forget a request: %w", err)
		}
		b.forget(id)
		return nil
	}
	if len(a.Body) > MaxBody || b.of[callerIn(id)].bodies+len(a.Body) > maxBodies {
		a.Body = nil
	}
	k.done, k.size = true, len(a.Body)
	if err := b.store.Save(ctx, map[string][]byte{id: k.record(a)}, nil); err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	b.keys[id] = k
	b.count(id, 0, k.size)
	return nil
}
