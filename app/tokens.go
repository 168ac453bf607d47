package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// recTokens begins the node's own records that are tokens of its API, by their ids.
const recTokens = "token/"

// tokenStore keeps tokens among the node's own records.
type tokenStore struct{ store port.Store }

func (s tokenStore) Load(ctx context.Context) (map[string][]byte, error) {
	recs, err := s.store.Records(ctx, journal.GroupID{}, recTokens)
	if err != nil {
		return nil, fmt.Errorf("read records of tokens: %w", err)
	}
	out := map[string][]byte{}
	for k, v := range recs {
		out[strings.TrimPrefix(k, recTokens)] = v
	}
	return out, nil
}

func (s tokenStore) Save(ctx context.Context, puts map[string][]byte, deletes []string) error {
	b := port.Batch{Puts: map[string][]byte{}}
	for id, v := range puts {
		b.Puts[recTokens+id] = v
	}
	for _, id := range deletes {
		b.Deletes = append(b.Deletes, recTokens+id)
	}
	if err := s.store.Commit(ctx, b); err != nil {
		return fmt.Errorf("write records of tokens: %w", err)
	}
	return nil
}

func openTokens(ctx context.Context, s port.Store, log *slog.Logger) (*access.Book, error) {
	book, damaged, err := access.Open(ctx, tokenStore{s}, rand.Reader, time.Now)
	if err != nil {
		return nil, fmt.Errorf("open tokens: %w", err)
	}
	for _, id := range damaged {
		log.Error("a token is not good any more: its record is damaged, or that of the one that made it", "token", id)
	}
	return book, nil
}
