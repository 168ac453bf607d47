// Package kept is how the API keeps what outlives a request: tokens, and answers.
package kept

import "context"

// Store keeps records by name. It is safe for concurrent use; package kepttest says in
// tests what each one does.
type Store interface {
	// Load returns all of them.
	Load(ctx context.Context) (map[string][]byte, error)
	// Get returns one, nil where there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// Save makes all of it durable, or nothing: what is put, and what is taken away.
	Save(ctx context.Context, puts map[string][]byte, deletes []string) error
}
