package coordinator

import (
	"errors"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// RescanFrom looks at the chain again, from a block on: the owner sets right where
// the wallet begins. Nothing counts as confirmed until the scan has got to it.
type RescanFrom struct{ Height int32 }

// Refollow starts the stream anew from what the view then knows.
type Refollow struct{}

func (Refollow) effect() {}

// Streamed is a notice of a stream, by the number that the stream began with. One
// of an older stream is refused with ErrOldStream.
type Streamed struct {
	Notice port.ChainNotice
	Stream uint64
}

// Stream returns the number of the stream that is to be followed now.
func (m *Machine) Stream() uint64 { return m.stream }

// ErrOldStream ends a stream from before a rescan.
var ErrOldStream = errors.New("the chain is scanned again")

func (s *step) streamed(x Streamed) error {
	if x.Stream != s.m.stream {
		return ErrOldStream
	}
	return s.chain(x.Notice)
}

func (s *step) rescanFrom(x RescanFrom) error {
	if x.Height < 0 || x.Height > event.MaxBirthday {
		return refusal.New(refusal.BadHeight, "height %d is no block's", x.Height)
	}
	for _, t := range s.m.View.Txs() {
		if h := t.Block.Height; h > 0 && h < x.Height {
			return refusal.New(refusal.BadHeight, "the wallet has a transaction in block %d", h).WithHint("give that height or a lower one")
		}
	}
	s.m.View = s.m.View.Rewind(max(0, x.Height-1)) // blocks are looked at after it
	s.m.stream++
	s.m.unsaved = saveEvery
	s.m.local.Birthday, s.m.local.Rescanned = s.m.View.Birthday(), true
	if err := s.put(recLocal, s.m.local); err != nil {
		return err
	}
	s.lookAroundNews(true)
	s.do(Refollow{})
	answer(s, x, Done{})
	return nil
}
