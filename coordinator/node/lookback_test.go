package node

import (
	"context"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

// oneStream is a chain backend of which a test writes the stream.
type oneStream struct {
	port.Chain
	port.Follower
	from    int32
	scripts [][]byte
	notices chan port.ChainNotice
	closed  bool
}

func (s *oneStream) Follow(_ context.Context, known []port.BlockRef, from int32, scripts [][]byte) (port.Follower, error) {
	if len(known) > 0 {
		return nil, errors.New("from a known block")
	}
	s.from, s.scripts = from, scripts
	return s, nil
}

func (s *oneStream) Notices() <-chan port.ChainNotice { return s.notices }

func (s *oneStream) Close() error {
	s.closed = true
	return nil
}

// A stream of its own is read up to the last block asked for, and closed.
func TestLookBackReadsAStreamOfItsOwn(t *testing.T) {
	pays := func(n int64) *wire.MsgTx {
		return &wire.MsgTx{TxOut: []*wire.TxOut{{Value: n, PkScript: []byte("mine")}}}
	}
	at := func(height int32, fork byte) port.BlockRef {
		return port.BlockRef{Height: height, Hash: chainhash.Hash{byte(height), fork}}
	}
	s := &oneStream{notices: make(chan port.ChainNotice, 20)}
	for _, n := range []port.ChainNotice{
		{Kind: port.Connected, Block: at(6, 0), Txs: []*wire.MsgTx{pays(1), {LockTime: 1}}},
		{Kind: port.Connected, Block: at(7, 0), Txs: []*wire.MsgTx{pays(2)}},
		{Kind: port.Disconnected, Block: at(7, 0)},
		{Kind: port.Connected, Block: at(7, 1), Txs: []*wire.MsgTx{pays(3)}},
		{Kind: port.Seen, Txs: []*wire.MsgTx{pays(4)}},
		{Kind: port.Connected, Block: at(8, 1)},
	} {
		s.notices <- n
	}
	a := &Actor{ports: Ports{Chain: s}, ctx: t.Context()}
	x := coordinator.LookBack{Scripts: [][]byte{[]byte("mine")}, From: 5, Until: 8}
	got, err := a.lookAt(x)
	if err != nil || got.End != at(8, 1) || len(got.Blocks) != 2 || got.Blocks[0].Block != at(6, 0) || got.Blocks[1].Block != at(7, 1) {
		t.Fatalf("%v, %v", got, err)
	}
	if len(got.Blocks[0].Txs) != 1 || s.from != 5 || len(s.scripts) != 1 || !s.closed {
		t.Errorf("%+v", s)
	}
	close(s.notices)
	if _, err := a.lookAt(x); !errors.Is(err, errMovedChain) {
		t.Errorf("a stream that ends early gives %v", err)
	}
}
