package chaintest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

const btc = 100_000_000

// owner makes a key that no other test uses.
func owner(t *testing.T) *regtest.Key {
	t.Helper()
	return must(regtest.NewKey(t.Name()))(t)
}

// outsider is a script nobody watches.
func outsider(t *testing.T) []byte {
	t.Helper()
	return must(regtest.NewKey(t.Name() + "/outsider"))(t).PkScript()
}

// coinOf finds the output of tx that pays the key.
func coinOf(t *testing.T, tx *wire.MsgTx, k *regtest.Key) regtest.Coin {
	t.Helper()
	for i, o := range tx.TxOut {
		if string(o.PkScript) == string(k.PkScript()) {
			return regtest.Coin{OutPoint: wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}, Amount: o.Value}
		}
	}
	t.Fatal("transaction does not pay the key")
	return regtest.Coin{}
}

// owned gives a key a confirmed coin.
func owned(t *testing.T, h Harness, k *regtest.Key, amount int64) regtest.Coin {
	t.Helper()
	tx := must(h.Fund(k.PkScript(), amount))(t)
	must(h.Mine(1))(t)
	return coinOf(t, tx, k)
}

// pay makes a payment of the key to a script, at satoshis per vbyte.
func pay(t *testing.T, k *regtest.Key, c regtest.Coin, to []byte, amount, rate int64) *wire.MsgTx {
	t.Helper()
	return must(k.Pay([]regtest.Coin{c}, []*wire.TxOut{wire.NewTxOut(amount, to)}, rate))(t)
}

// sweep makes a payment of nearly all, so that nothing comes back to the key.
func sweep(t *testing.T, k *regtest.Key, c regtest.Coin, to []byte) *wire.MsgTx {
	t.Helper()
	tx := pay(t, k, c, to, c.Amount-2_000, 10)
	if len(tx.TxOut) != 2 {
		return tx
	}
	return pay(t, k, c, to, c.Amount-2_000+tx.TxOut[1].Value-200, 10)
}

func send(t *testing.T, h Harness, tx *wire.MsgTx) {
	t.Helper()
	if _, err := h.Chain().Broadcast(t.Context(), tx); err != nil {
		t.Fatalf("Broadcast: %v", err)
	}
}

// offer broadcasts what should be refused. A backend that can only look whether
// anybody shows it would look for long.
func offer(t *testing.T, h Harness, tx *wire.MsgTx) error {
	t.Helper()
	ctx := t.Context()
	if blind(h) {
		short, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		ctx = short
	}
	_, err := h.Chain().Broadcast(ctx, tx)
	return err
}

// refused holds an answer of Broadcast or TestAccept: a backend that knows no
// coins may only know that nobody shows the transaction.
func refused(t *testing.T, h Harness, what string, err error) {
	t.Helper()
	if !errors.Is(err, port.ErrTxRejected) && (!blind(h) || !errors.Is(err, port.ErrNotSeen)) {
		t.Errorf("%s: got %v, want ErrTxRejected", what, err)
	}
}

// testAccept asks TestAccept; unsupported is an answer too.
func testAccept(t *testing.T, h Harness, tx *wire.MsgTx) (err error, can bool) {
	t.Helper()
	err = h.Chain().TestAccept(t.Context(), tx)
	return err, !errors.Is(err, port.ErrUnsupported)
}
