package neutrino

import (
	"errors"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/wallet"
)

// remedy is what to do with the light client.
type remedy int

const (
	fine    remedy = iota
	restart        // peers, and what the library remembers of them, are had anew
	forget         // and so are all headers
)

// unservedTime is how many times the stall time a filter may be missing before the
// headers are thrown away. maxUnserved bounds how many are remembered.
const (
	unservedTime = 6
	maxUnserved  = 100
)

// attempt is how the running light client began.
type attempt struct {
	height int32 // of the filter headers then
	stuck  bool  // because the one before was stuck
}

// judge says whether the light client has to be started again, and whether its
// headers have to be fetched again: those that do not fit what honest peers say
// would have them dropped one after the other, or their filters refused.
func (b *Backend) judge(now time.Time) remedy {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.now
	// Peers are looked for when it starts, and there may have been no network then,
	// or those that are named were dropped.
	alone := now.Sub(s.alone) > b.cfg.stall && (len(b.cfg.Peers) > 0 || b.cfg.Network != wallet.Regtest)
	behind := s.peers > 0 && s.height < s.target && now.Sub(s.moved) > b.cfg.stall
	lacks := s.height < s.headers && now.Sub(s.grown) > b.cfg.stall // filter headers
	refused := lacks && b.refused.After(s.grown)
	again := lacks && behind && b.began.stuck && b.began.height == s.height
	if s.peers < b.cfg.need() {
		clear(b.unserved) // it is not the filter that is missing
	}
	unserved := false
	for block, u := range b.unserved {
		if now.Sub(u.last) > unservedTime*b.cfg.stall {
			delete(b.unserved, block) // nobody asks for it any more
		}
		unserved = unserved || u.last.Sub(u.since) > unservedTime*b.cfg.stall
	}
	verdict := fine
	switch {
	case (refused || again || unserved) && now.Sub(b.forgot) > forgetEvery:
		b.forgot, verdict = now, forget
	case alone || behind:
		verdict = restart
	default:
		return fine
	}
	s.moved, s.alone, s.grown = now, now, now
	clear(b.unserved)
	return verdict
}

// reopen starts the light client that was shut for judge's verdict.
func (b *Backend) reopen() (*client, error) {
	if b.again == forget {
		b.cfg.Log.Warn("the headers on disk do not fit what peers say and are fetched again")
		if err := b.forget(); err != nil {
			return nil, err
		}
	}
	c, err := b.open()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.client = c
	b.began = attempt{height: b.now.height, stuck: b.again == restart}
	b.again = fine
	return c, nil
}

// missing is a filter that nobody serves: since when, and when it was asked for last.
type missing struct{ since, last time.Time }

// filter notes whether a block's filter could be had.
func (b *Backend) filter(block chainhash.Hash, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, known := b.unserved[block]
	switch now := time.Now(); {
	case err == nil || errors.Is(err, follow.ErrNoBlock):
		delete(b.unserved, block)
	case known:
		b.unserved[block] = missing{u.since, now}
	case len(b.unserved) < maxUnserved:
		b.unserved[block] = missing{now, now}
	}
}
