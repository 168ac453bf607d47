package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/once"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// What begins the node's own records that are its API's: tokens by their ids, answers by
// the ids of their keys. No backup has them: a token that was revoked would come back.
const (
	recTokens  = "token/"
	recAnswers = "answer/"
)

// apiStore keeps records of the API among the node's own.
type apiStore struct {
	store port.Store
	rec   string
}

func (s apiStore) Load(ctx context.Context) (map[string][]byte, error) {
	recs, err := s.store.Records(ctx, journal.GroupID{}, s.rec)
	if err != nil {
		return nil, fmt.Errorf("read records %s: %w", s.rec, err)
	}
	out := map[string][]byte{}
	for k, v := range recs {
		out[strings.TrimPrefix(k, s.rec)] = v
	}
	return out, nil
}

// Get returns one record.
func (s apiStore) Get(ctx context.Context, id string) ([]byte, error) {
	recs, err := s.store.Records(ctx, journal.GroupID{}, s.rec+id)
	if err != nil {
		return nil, fmt.Errorf("read record %s%s: %w", s.rec, id, err)
	}
	return recs[s.rec+id], nil
}

func (s apiStore) Save(ctx context.Context, puts map[string][]byte, deletes []string) error {
	b := port.Batch{Puts: map[string][]byte{}}
	for id, v := range puts {
		b.Puts[s.rec+id] = v
	}
	for _, id := range deletes {
		b.Deletes = append(b.Deletes, s.rec+id)
	}
	if err := s.store.Commit(ctx, b); err != nil {
		return fmt.Errorf("write records %s: %w", s.rec, err)
	}
	return nil
}

func openTokens(ctx context.Context, s port.Store, log *slog.Logger) (*access.Book, error) {
	book, damaged, err := access.Open(ctx, apiStore{s, recTokens}, rand.Reader, time.Now)
	if err != nil {
		return nil, fmt.Errorf("open tokens: %w", err)
	}
	for _, id := range damaged {
		log.Error("a token is not good any more: its record is damaged, or that of the one that made it", "token", id)
	}
	return book, nil
}

func openAnswers(ctx context.Context, s port.Store) (*once.Book, error) {
	book, err := once.Open(ctx, apiStore{s, recAnswers}, time.Now)
	if err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	return book, nil
}
