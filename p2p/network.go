package p2p

import (
	"context"
	"io"
	"time"

	"github.com/quorate/quorate/journal"
)

// Stream is what the sync and join protocols need of a connection. Reset ends
// both directions at once, Close after what was written has left.
type Stream interface {
	io.Reader
	io.Writer
	Close() error
	CloseWrite() error
	Reset() error
	SetDeadline(time.Time) error
}

// Links is what the protocols need of a network. They are called concurrently.
type Links interface {
	// Open starts a sync stream to a connected member.
	Open(ctx context.Context, to journal.Author) (Stream, error)
	// Connected returns the members that are connected.
	Connected() []journal.Author
	// Records returns signed addresses of members of a group, for its members.
	Records(members map[journal.Author]bool) [][]byte
	// Heard takes such addresses from a member.
	Heard(members map[journal.Author]bool, records [][]byte)
}
