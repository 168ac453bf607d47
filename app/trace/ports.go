package trace

import (
	"context"
	"errors"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Signer is a signer whose signatures are told of, or itself where none are.
func (b *Book) Signer(s port.Signer) port.Signer {
	if b == nil {
		return s
	}
	t := tracedSigner{s, b}
	if d, ok := s.(port.Detached); ok {
		return tracedDetached{t, d}
	}
	return t
}

type tracedSigner struct {
	port.Signer
	book *Book
}

type tracedDetached struct {
	tracedSigner
	detached port.Detached
}

// Detached implements port.Detached.
func (t tracedDetached) Detached() bool { return t.detached.Detached() }

// MaySign implements port.Detached.
func (t tracedDetached) MaySign(ctx context.Context, st wallet.ScriptType, account uint32, s *wallet.Spend) error {
	return t.detached.MaySign(ctx, st, account, s)
}

// SignSpend implements port.Signer.
func (t tracedSigner) SignSpend(ctx context.Context, st wallet.ScriptType, account uint32, s *wallet.Spend) ([]wallet.Signature, error) {
	from := time.Now()
	out, err := t.Signer.SignSpend(ctx, st, account, s)
	t.book.Signed(s.TxID().String(), from, time.Now(), err)
	return out, err
}

// Chain is a view of the network of which it is told what is handed to it, or itself where
// nothing is.
func (b *Book) Chain(c port.Chain) port.Chain {
	if b == nil {
		return c
	}
	t := tracedChain{c, b}
	if d, ok := c.(port.Dated); ok {
		return tracedDated{t, d}
	}
	return t
}

type tracedChain struct {
	port.Chain
	book *Book
}

type tracedDated struct {
	tracedChain
	dated port.Dated
}

// HeightAt implements port.Dated.
func (t tracedDated) HeightAt(ctx context.Context, at time.Time) (int32, error) {
	return t.dated.HeightAt(ctx, at)
}

// TestAccept implements port.Chain. What it refuses is not handed over.
func (t tracedChain) TestAccept(ctx context.Context, tx *wire.MsgTx) error {
	from := time.Now()
	err := t.Chain.TestAccept(ctx, tx)
	if errors.Is(err, port.ErrTxRejected) {
		t.book.Handed(tx.TxHash().String(), "refused", from, time.Now())
	}
	return err
}

// Broadcast implements port.Chain.
func (t tracedChain) Broadcast(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	from := time.Now()
	reach, err := t.Chain.Broadcast(ctx, tx)
	how := string(reach)
	switch {
	case errors.Is(err, port.ErrTxRejected):
		how = "refused"
	case errors.Is(err, port.ErrNotSeen):
		how = "not_seen"
	case err != nil:
		how = "failed"
	}
	t.book.Handed(tx.TxHash().String(), how, from, time.Now())
	return reach, err
}
