package node

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

type expecting struct {
	port.Follower
	notices chan port.ChainNotice
	asked   []chainhash.Hash
}

func (f *expecting) Expect(ids []chainhash.Hash)      { f.asked = append(f.asked, ids...) }
func (f *expecting) Notices() <-chan port.ChainNotice { return f.notices }
func (f *expecting) Close() error                     { return nil }

func (f *expecting) Watch(context.Context, [][]byte, int32) error { return nil }

// A stream that begins is asked about all that an earlier one showed.
func TestAStreamIsAskedAboutWhatWasSeen(t *testing.T) {
	c := active(t, 2, 3)
	p := c.peers[0]
	deposit, mined := c.pays(0, 1, 500_000), c.pays(0, 2, 600_000)
	for _, tx := range []*wire.MsgTx{deposit, mined} {
		p.must(coordinator.ChainIn{Notice: port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}})
	}
	c.mine([]*wire.MsgTx{mined})
	f := &expecting{notices: make(chan port.ChainNotice)}
	close(f.notices)
	a := &Actor{ports: Ports{Log: slog.New(slog.DiscardHandler)}, ctx: t.Context()}
	a.current.Store(&p.m)
	a.stream(f, 0)
	if !slices.Equal(f.asked, []chainhash.Hash{deposit.TxHash()}) {
		t.Errorf("asked about %v", f.asked)
	}
}

// pays is a transaction that pays an address of the wallet.
func (c *circle) pays(branch, index uint32, amount int64) *wire.MsgTx {
	c.tb.Helper()
	s, err := c.peers[0].m.State.Active().Descriptor.Script(branch, index)
	if err != nil {
		c.tb.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH([]byte{byte(branch), byte(index)})}})
	tx.AddTxOut(wire.NewTxOut(amount, s.PkScript))
	return tx
}
