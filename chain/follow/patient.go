package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// answerTime is how long a source may take for one answer. Sources have limits
// of their own, which are shorter: this one is for what they do not cover, since
// one question that is never answered would end the stream without a word.
const answerTime = 90 * time.Second

// patient bounds every question to a source in time.
type patient struct {
	Source
	limit time.Duration
}

func bounded[T any](ctx context.Context, p patient, ask func(context.Context) (T, error)) (T, error) {
	short, stop := context.WithTimeout(ctx, p.limit)
	defer stop()
	v, err := ask(short)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && short.Err() != nil {
		err = fmt.Errorf("no answer within %v: %w", p.limit, err)
	}
	return v, err
}

func (p patient) Tip(ctx context.Context) (tip port.BlockRef, syncing bool, err error) {
	tip, err = bounded(ctx, p, func(ctx context.Context) (port.BlockRef, error) {
		t, s, err := p.Source.Tip(ctx)
		syncing = s
		return t, err
	})
	return tip, syncing, err
}

func (p patient) HashAt(ctx context.Context, height int32) (chainhash.Hash, error) {
	return bounded(ctx, p, func(ctx context.Context) (chainhash.Hash, error) { return p.Source.HashAt(ctx, height) })
}

func (p patient) Block(ctx context.Context, hash chainhash.Hash, height int32) (*Block, error) {
	return bounded(ctx, p, func(ctx context.Context) (*Block, error) { return p.Source.Block(ctx, hash, height) })
}

// fetch returns a block, without its transactions where the source can tell
// that the scripts are not in it.
func (p patient) fetch(ctx context.Context, hash chainhash.Hash, height int32, m *matcher) (*Block, error) {
	f, ok := p.Source.(Filtered)
	if !ok {
		return p.Block(ctx, hash, height)
	}
	may := false
	if list := m.list(); len(list) > 0 {
		var err error
		may, err = bounded(ctx, p, func(ctx context.Context) (bool, error) { return f.Interests(ctx, hash, height, list) })
		if err != nil {
			return nil, err
		}
	}
	if may {
		return p.Block(ctx, hash, height)
	}
	return bounded(ctx, p, func(ctx context.Context) (*Block, error) { return f.Header(ctx, hash, height) })
}
